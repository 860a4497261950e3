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

/** Shows a value in a message: quoted, control characters escaped, cut at 80 characters. */
export function show(value: unknown): string {
  // JSON has no NaN, nor infinity, and would show them as null.
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
