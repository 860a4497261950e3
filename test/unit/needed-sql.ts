import type { StatementKind } from "../../lib";

/** What a list of each kind needs at least, to be checked beside what is tried. */
export const NEEDED: Readonly<Record<StatementKind, string>> = {
  creation: `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`,
  renewal: `ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}'`,
  revocation: `DROP ROLE "{{name}}"`,
  rotation: `ALTER ROLE "{{name}}" PASSWORD '{{password}}'`,
  "root rotation": `ALTER ROLE "{{name}}" PASSWORD '{{password}}'`,
};
