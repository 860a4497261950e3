import { replaced } from "../tokens";

/** Quotes an identifier for PostgreSQL: `orders` becomes `"orders"`, a `"` inside is doubled. */
export function quoteIdentifier(name: string): string {
  return `"${replaced(name, '"', '""')}"`;
}

/**
 * Quotes a string literal for PostgreSQL with `standard_conforming_strings` on (the default since 9.1); text with a
 * backslash becomes an escape string, which means the same whatever that setting is.
 */
export function quoteLiteral(text: string): string {
  const doubled = replaced(text, "'", "''");
  return text.includes("\\") ? `E'${replaced(doubled, "\\", "\\\\")}'` : `'${doubled}'`;
}

/**
 * A literal within a body: in dollar quotes if it is a plain text, since an engine searches what it sends once more for each
 * literal in others.
 */
export function bodyLiteral(text: string): string {
  return /^[\w %,.:"-]+$/.test(text) ? `$$${text}$$` : quoteLiteral(text);
}

/** Wraps a body in dollar quotes with a tag that the body does not hold. */
export function dollarQuote(body: string): string {
  let tag = "$body$";
  for (let n = 1; body.includes(tag); n++) tag = `$body${n}$`;
  return `${tag}${body}${tag}`;
}
