import { Duration } from "../lib/duration";
import {
  assumingCreation,
  drainingRevocation,
  markingTerminated,
  membershipCreation,
  quoteIdentifier,
  terminatingRevocation,
} from "../lib/statements";

export const VARIANTS = ["bare", "terminate", "owner", "drain", "grants", "documented"] as const;
export type Variant = (typeof VARIANTS)[number];
export const OURS = ["terminate", "owner", "drain"] as const;
/** Those that the engine runs as a superuser; the others with the rights of the constructs' manager. */
export const AS_SUPERUSER: ReadonlySet<Variant> = new Set(["grants", "documented"]);

/** Names for tables and charts. */
export const TITLES: Record<Variant, string> = {
  bare: "Bare CREATE and DROP ROLE",
  terminate: "Ours: terminate",
  owner: "Ours: terminate, owner",
  drain: "Ours: drain",
  grants: "Grants to each user",
  documented: "Vault's example",
};

const LOGIN = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';`;
const SELECT = `GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";`;

/**
 * What is compared. Where revocation is empty, the engine's own is used, as those who write none get it.
 *
 * @param base role whose rights our presets hand out
 */
export function variants(
  database: string,
  base: string,
): Record<Variant, { creation: string[]; revocation: string[] }> {
  const idle = Duration.minutes(5);
  return {
    bare: { creation: [LOGIN], revocation: [`DROP ROLE "{{name}}";`] },
    terminate: {
      creation: [...membershipCreation(base), ...markingTerminated()],
      revocation: terminatingRevocation(),
    },
    owner: {
      creation: [...assumingCreation(base), ...markingTerminated()],
      revocation: terminatingRevocation(base),
    },
    drain: {
      creation: assumingCreation(base, { idleSession: idle, idleInTransaction: idle }),
      revocation: drainingRevocation(base),
    },
    grants: {
      creation: [
        LOGIN,
        `GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO "{{name}}";`,
        `GRANT USAGE ON SCHEMA public TO "{{name}}";`,
        SELECT,
        `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO "{{name}}";`,
      ],
      // Seed 004 names no revocation; this removes all that its creation grants in this database.
      revocation: [`DROP OWNED BY "{{name}}";`, `DROP ROLE "{{name}}";`],
    },
    documented: { creation: [LOGIN, SELECT], revocation: [] },
  };
}
