/** Names of that many roles. */
export const namesOf = (roles: number): string[] =>
  Array.from({ length: roles }, (_, index) => `role-${String(index + 1).padStart(5, "0")}`);
