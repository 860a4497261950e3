import { escapeIdentifier } from "pg";
import type { DatabaseUser } from "./database-users";
import type { Finding } from "./finding";

/** Users that nothing but a revocation ends: with VALID UNTIL a password ends by itself, when Vault is gone, too. */
export function endlessUserFindings(users: readonly DatabaseUser[]): Finding[] {
  return users
    .filter(({ validUntil, shut }) => validUntil === Infinity && shut === undefined)
    .map(({ name }): Finding => ({
      kind: "endless-user",
      subject: name,
      detail: "its password has no end: VALID UNTIL is absent or infinite",
      remedy:
        "Give the creationStatements of its role VALID UNTIL '{{expiration}}', if it has SQL of its own. This one ends with " +
        `its lease; without one, after a look at who made it, as a superuser: ALTER ROLE ${escapeIdentifier(name)} NOLOGIN;`,
    }));
}
