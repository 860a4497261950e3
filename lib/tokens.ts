import { Fn, Token } from "cdktf";
import { ConfigurationError, show } from "./errors";

/** As CDKTF writes a token into a text, a list and the keys of a map; and what may be a number that is one. */
const TOKEN = /[$#&]\{TfToken\[[a-zA-Z0-9:._-]+\]\}|-\d(?:\.\d+)?e\+\d{3}/g;

/** A text as what is known of it, and the tokens between: one fewer. */
function partsOf(text: string): { readonly known: readonly string[]; readonly tokens: readonly string[] } {
  const known: string[] = [];
  const tokens: string[] = [];
  let end = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token.startsWith("-") && !isNumber(token, text, index)) continue;
    known.push(text.slice(end, index));
    tokens.push(token);
    end = index + token.length;
  }
  return { known: [...known, text.slice(end)], tokens };
}

/** CDKTF takes such a number for more of a text than it is, where it stands beside what numbers are written with. */
function isNumber(token: string, text: string, index: number): boolean {
  if (!Token.isUnresolved(Number(token))) return false;
  if (/[-|\d.+]$/.test(text.slice(0, index)) || /^[-|\d.eE+]/.test(text.slice(index + token.length))) {
    throw new ConfigurationError(
      `The text ${show(text)} holds a number that only Terraform knows, which CDKTF would not find there.`,
      "Write it with Token.asString(number) in place of the number.",
    );
  }
  return true;
}

/** Whether a value, or a part of it, is only known to Terraform, later. */
export function isUnresolved(value: unknown): boolean {
  // Neither an element of a list that is a token, nor a text made with a number that is one, is a token of CDKTF's by itself.
  return Token.isUnresolved(value) || (typeof value === "string" && partsOf(value).tokens.length > 0);
}

/** Whether a text is one token and nothing else. */
export function isToken(text: string): boolean {
  const { known, tokens } = partsOf(text);
  return tokens.length === 1 && known.every((part) => part === "");
}

/** The parts of a text that are known, between its tokens. */
export function knownParts(text: string): readonly string[] {
  return partsOf(text).known;
}

/**
 * A text to check in place of one that may hold tokens: each of them is taken for `standIn`, a value that the check lets
 * pass. So a token hides itself from the check, and nothing of what stands around it.
 */
export function withStandIns(text: string, standIn = "x"): string {
  if (typeof text !== "string") return isUnresolved(text) ? standIn : text;
  return knownParts(text).join(standIn);
}

/** As {@link withStandIns}, for an absolute path: a token that it begins with is taken for the folder that it may be. */
export function pathWithStandIns(path: string): string {
  const beginsWithToken = isUnresolved(path) && knownParts(path)[0] === "";
  return `${beginsWithToken ? "/" : ""}${withStandIns(path)}`;
}

/** Whether some value of the tokens in a text would make it one of these. */
export function mayBeOneOf(text: string, values: readonly string[]): boolean {
  if (!isUnresolved(text)) return values.includes(text);
  const pattern = new RegExp(`^${knownParts(text).map(literally).join(".*")}$`, "s");
  return values.some((value) => pattern.test(value));
}

const literally = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

/**
 * Changes a text by its parts: what is known here, and its tokens by Terraform.
 *
 * @param later returns a function of Terraform's on a token
 */
function changed(text: string, known: (part: string) => string, later: (token: string) => string): string {
  const parts = partsOf(text);
  const tokens = parts.tokens.map(later);
  return parts.known.map((part, index) => known(part) + (tokens[index] ?? "")).join("");
}

/** A text in lower case. */
export function inLowerCase(text: string): string {
  return changed(
    text,
    (part) => part.toLowerCase(),
    (token) => Fn.lower(token),
  );
}

/** A text percent-encoded for a URL. */
export function percentEncoded(text: string): string {
  return changed(text, encodeURIComponent, (token) => Fn.replace(Fn.urlencode(token), "+", "%20"));
}

/** A text with each of what is searched for replaced. */
export function replaced(text: string, search: string, replacement: string): string {
  return changed(
    text,
    (part) => part.replaceAll(search, () => replacement),
    (token) => Fn.replace(token, asArgument(search), asArgument(replacement)),
  );
}

/** A text as JSON has it, quotes included. */
export function jsonEncoded(text: string): string {
  const inside = changed(
    text,
    (part) => JSON.stringify(part).slice(1, -1),
    (token) => Fn.replace(Fn.jsonencode(token), asArgument('/^"|"$/'), ""),
  );
  return `"${inside}"`;
}

/** A text as an argument of a function of Terraform's, in which CDKTF escapes line feeds only. */
export function asArgument(text: string): string {
  const escaped = (part: string) => part.replaceAll(/["\\]/g, "\\$&").replaceAll("\r", "\\r");
  return changed(text, escaped, (token) => token);
}

/** A number as a part of a text: one that only Terraform knows does not survive in a template literal. */
export function numberText(value: number): string {
  return isUnresolved(value) ? Token.asString(value) : String(value);
}
