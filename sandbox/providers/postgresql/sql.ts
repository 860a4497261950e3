// Quoting, as the real plugin quotes.

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A backslash is doubled, which PostgreSQL takes for two: so does the real plugin, and passwords must agree. */
export function literal(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

export function list(names: readonly string[]): string {
  return names.map(identifier).join(", ");
}
