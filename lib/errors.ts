/**
 * Thrown for every value that the library refuses. The message says what is wrong, the value got, what is allowed and
 * how to put it right; it never holds a secret.
 */
export class ConfigurationError extends Error {
  constructor(problem: string, remedy: string) {
    super(`${problem}\n  ${remedy}`);
    this.name = "ConfigurationError";
  }
}

/** What JSON leaves as it is, but a terminal obeys: more control characters, and those that turn the writing around. */
const INVISIBLE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** What CDKTF writes for a value that only Terraform knows, which tells nobody anything. */
const TOKEN = /[$#&]\{TfToken\[[^\]]*\]\}|-\d\.\d{10,}e\+\d{3}/g;

const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Shows a value in a message: quoted, control characters escaped, cut at 80 characters. */
export function show(value: unknown): string {
  // JSON has no NaN, nor infinity, and would show them as null.
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  const visible = text.replaceAll(TOKEN, "${…}").replace(INVISIBLE, escape);
  return visible.length > 80 ? `${visible.slice(0, 77).replace(/[\ud800-\udbff]$/, "")}...` : visible;
}
