import { Fn, Token } from "cdktf";

/** As CDKTF writes a token into a text, a list and the keys of a map. */
const TOKEN = /[$#&]\{TfToken\[[a-zA-Z0-9:._-]+\]\}/;
const EACH = new RegExp(TOKEN, "g");

/** Whether a value, or a part of it, is only known to Terraform, later. */
export function isUnresolved(value: unknown): boolean {
  // An element of a list that only Terraform knows is no token of CDKTF's by itself.
  return Token.isUnresolved(value) || (typeof value === "string" && TOKEN.test(value));
}

/** Whether a text is one token and nothing else. */
export function isToken(text: string): boolean {
  return TOKEN.test(text) && text.replace(TOKEN, "") === "";
}

/** The parts of a text that are known, between its tokens. */
export function knownParts(text: string): string[] {
  return text.split(EACH);
}

/**
 * A text to check in place of one that may hold tokens: each of them is taken for `standIn`, a value that the check lets
 * pass. So a token hides itself from the check, and nothing of what stands around it.
 */
export function withStandIns(text: string, standIn = "x"): string {
  if (typeof text !== "string") return isUnresolved(text) ? standIn : text;
  return text.replaceAll(EACH, () => standIn);
}

/** As {@link withStandIns}, for an absolute path: a token that it begins with is taken for the folder that it may be. */
export function pathWithStandIns(path: string): string {
  return withStandIns(path.search(TOKEN) === 0 ? path.replace(TOKEN, "/x") : path);
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
  const parts = knownParts(text).map(known);
  const tokens = (text.match(EACH) ?? []).map(later);
  return parts.map((part, index) => part + (tokens[index] ?? "")).join("");
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

/** A text as an argument of a function of Terraform's, in which CDKTF escapes line feeds only. */
export function asArgument(text: string): string {
  const escaped = (part: string) => part.replaceAll(/["\\]/g, "\\$&").replaceAll("\r", "\\r");
  return changed(text, escaped, (token) => token);
}

/** A number as a part of a text: one that only Terraform knows does not survive in a template literal. */
export function numberText(value: number): string {
  return isUnresolved(value) ? Token.asString(value) : String(value);
}
