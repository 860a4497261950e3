import type { Client } from "pg";
import type { DatabaseUser } from "./database-users";
import { isLarge, settingsOf, type SettingsPlace } from "./large-settings";

/** What a user that may not log in any more still has on the server: why it could not be dropped. */
export interface Holdings {
  /** How many objects it owns, by database; of the whole server where the database is empty. */
  readonly owned: readonly { readonly database: string; readonly count: number }[];
  /** How many objects it has rights on that were granted to itself, likewise. */
  readonly granted: readonly { readonly database: string; readonly count: number }[];
  /** Roles that are its members, and so may act as it; the engine's login aside. */
  readonly members: readonly string[];
  /** Where its settings are, if they are so large that a revocation could not delete them in time; else absent. */
  readonly settings?: readonly SettingsPlace[];
}

/** By OID of the user. */
export async function holdingsOf(
  client: Client,
  users: readonly DatabaseUser[],
  manager: string,
): Promise<Map<number, Holdings>> {
  const oids = users.map(({ oid }) => oid);
  const { rows } = await client.query<{ oid: number; database: string; kind: string; count: number }>(
    `SELECT refobjid::bigint::double precision AS oid, COALESCE(pg_database.datname::pg_catalog.text, '') AS database,
       deptype::pg_catalog.text AS kind, pg_catalog.count(*)::int AS count
     FROM pg_catalog.pg_shdepend
     LEFT JOIN pg_catalog.pg_database ON pg_database.oid OPERATOR(pg_catalog.=) dbid
     WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
       AND refobjid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
       AND classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_auth_members'::pg_catalog.regclass
     GROUP BY refobjid, pg_database.datname, deptype
     ORDER BY pg_database.datname`,
    [oids],
  );
  const members = await client.query<{ oid: number; name: string }>(
    `SELECT DISTINCT membership.roleid::bigint::double precision AS oid, login.rolname::pg_catalog.text AS name
     FROM pg_catalog.pg_auth_members AS membership
     JOIN pg_catalog.pg_roles AS login ON login.oid OPERATOR(pg_catalog.=) membership.member
     WHERE membership.roleid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
       AND login.rolname OPERATOR(pg_catalog.<>) $2
     ORDER BY 2`,
    [oids, manager],
  );
  const settings = await settingsOf(client, oids);
  const of = (oid: number, isKind: (kind: string) => boolean) =>
    rows
      .filter((row) => row.oid === oid && isKind(row.kind))
      .map(({ database, count }) => ({ database, count }));
  return new Map(
    oids.map((oid) => [
      oid,
      {
        ...(isLarge(settings.get(oid) ?? []) && { settings: settings.get(oid) ?? [] }),
        owned: of(oid, (kind) => kind === "o"),
        granted: of(oid, (kind) => kind !== "o"),
        members: members.rows.filter((row) => row.oid === oid).map(({ name }) => name),
      },
    ]),
  );
}
