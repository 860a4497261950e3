/**
 * The entry of a connection's `allowed_roles` by which it serves a role, if any. As the engine does, an entry is the role's
 * name, or a pattern in which each `*` stands for any text.
 */
export function servedBy(allowedRoles: readonly string[], role: string): string | undefined {
  return allowedRoles.find((entry) => matches(entry, role));
}

function matches(entry: string, role: string): boolean {
  const [first = "", ...later] = entry.split("*");
  const last = later.pop();
  if (last === undefined) return entry === role;
  if (!role.startsWith(first)) return false;
  let position = first.length;
  // The leftmost place for each part leaves the most room for the next.
  for (const part of later) {
    const found = role.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return role.length - last.length >= position && role.endsWith(last);
}
