import { escapeIdentifier, type Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";

const INSUFFICIENT_PRIVILEGE = "42501";

/** A login of PostgreSQL that the engine has made. */
export interface DatabaseUser {
  readonly name: string;
  readonly oid: number;
  /** Base roles of the environment that it is a member of. */
  readonly baseRoles: readonly string[];
  /** Milliseconds since 1970. */
  readonly validUntil: number;
  /** How many sessions it has. */
  readonly sessions: number;
}

/** A session whose role was dropped. */
export interface OutlivedSession {
  readonly pid: number;
  /** What the role's oid was. */
  readonly roleOid: number;
  /** Milliseconds since 1970; absent where the login may not see it (pg_read_all_stats). */
  readonly startedAt?: number;
  /** Such as `active` or `idle in transaction`; absent like `startedAt`. */
  readonly state?: string;
}

/**
 * Logins that are members of the environment's base roles and whose password ends some time: that is how the engine makes
 * them. Its own login and those of static roles are left out.
 */
export async function databaseUsers(client: Client, outputs: EnvironmentOutputs): Promise<DatabaseUser[]> {
  const statics = Object.values(outputs.static_roles ?? {}).map(({ username }) => username);
  const { rows } = await client.query<DatabaseUser>(
    `SELECT member.rolname AS name, member.oid::bigint::float8 AS oid,
       array_agg(DISTINCT base.rolname::text) AS "baseRoles",
       extract(epoch FROM member.rolvaliduntil)::float8 * 1000 AS "validUntil",
       (SELECT count(*)::int FROM pg_catalog.pg_stat_activity WHERE usesysid = member.oid) AS sessions
     FROM pg_catalog.pg_auth_members AS membership
     JOIN pg_catalog.pg_roles AS base ON base.oid = membership.roleid
     JOIN pg_catalog.pg_roles AS member ON member.oid = membership.member
     WHERE base.rolname = ANY ($1) AND isfinite(member.rolvaliduntil) AND member.rolname <> ALL ($2)
     GROUP BY member.oid, member.rolname, member.rolvaliduntil
     ORDER BY member.rolname`,
    [baseRolesOf(outputs), [outputs.postgres.manager, ...statics]],
  );
  return rows;
}

/** Base roles of the environment that the server does not have: then it is another server. */
export async function missingBaseRoles(client: Client, outputs: EnvironmentOutputs): Promise<string[]> {
  const names = baseRolesOf(outputs);
  const { rows } = await client.query<{ rolname: string }>(
    "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)",
    [names],
  );
  return names.filter((name) => !rows.some(({ rolname }) => rolname === name));
}

/**
 * Sessions on the environment's database whose role is gone. What others do and since when is shown to members of
 * pg_read_all_stats; that a session is there, to everybody.
 */
export async function outlivedSessions(client: Client, database: string): Promise<OutlivedSession[]> {
  const { rows } = await client.query<{
    pid: number;
    oid: number;
    started: number | null;
    state: string | null;
  }>(
    `SELECT pid, usesysid::bigint::float8 AS oid, extract(epoch FROM backend_start)::float8 * 1000 AS started, state
     FROM pg_catalog.pg_stat_activity
     WHERE datname = $1 AND usesysid <> 0 AND usename IS NULL
     ORDER BY pid`,
    [database],
  );
  return rows.map(({ pid, oid, started, state }) => ({
    ...{ pid, roleOid: oid },
    ...(started !== null && { startedAt: started }),
    ...(state !== null && { state }),
  }));
}

/**
 * Ends sessions whose role is gone; a session that has got that process id since is spared.
 *
 * @returns how many were told to end
 */
export async function endSessions(client: Client, sessions: readonly OutlivedSession[]): Promise<number> {
  const { rows } = await client.query<{ told: boolean }>(
    `SELECT pg_catalog.pg_terminate_backend(pid) AS told
     FROM pg_catalog.pg_stat_activity
     WHERE usename IS NULL AND (pid, usesysid::bigint) IN (SELECT * FROM unnest($1::int[], $2::bigint[]))`,
    [sessions.map(({ pid }) => pid), sessions.map(({ roleOid }) => roleOid)],
  );
  return rows.filter(({ told }) => told).length;
}

/**
 * Sessions on the environment's database that the present login may not end; those of the engine go with its connection.
 *
 * @returns process ids, with the user unless its role is gone
 */
export async function unendableSessions(
  client: Client,
  { postgres }: EnvironmentOutputs,
): Promise<{ readonly pid: number; readonly user: string | null }[]> {
  const { rows } = await client.query<{ pid: number; user: string | null }>(
    `SELECT pid, usename::text AS user
     FROM pg_catalog.pg_stat_activity AS activity
     WHERE datname = $1 AND usesysid <> 0 AND usename IS DISTINCT FROM $2
       AND NOT coalesce((SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), false)
       AND CASE
         WHEN usename IS NULL THEN NOT pg_has_role('pg_signal_backend', 'USAGE')
         WHEN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid = usesysid) THEN true
         ELSE NOT pg_has_role(usesysid, 'USAGE') AND NOT pg_has_role('pg_signal_backend', 'USAGE')
       END
     ORDER BY pid`,
    [postgres.database, postgres.manager],
  );
  return rows;
}

/**
 * Ends the sessions of the engine's login on the environment's database. OpenBao 2.7.2 forgets some that it opened at
 * once after a start, and closes them only with their time; they would outlive the login. The present login joins it for
 * as long as that takes, in a transaction that is taken back.
 */
export async function endEngineSessions(client: Client, { postgres }: EnvironmentOutputs): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(`GRANT ${escapeIdentifier(postgres.manager)} TO CURRENT_USER`);
    await client.query(
      `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
       WHERE usename = $1 AND datname = $2`,
      [postgres.manager, postgres.database],
    );
  } catch (error) {
    // A login that is managed elsewhere: it stays, and with it the right to end its sessions stays with others.
    if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error;
  } finally {
    await client.query("ROLLBACK");
  }
}

/** Those of the roles that own something in a database. */
export async function ownersAmong(
  client: Client,
  database: string,
  roles: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT rolname::text AS name
     FROM pg_catalog.pg_shdepend
     JOIN pg_catalog.pg_database ON pg_database.oid = dbid
     JOIN pg_catalog.pg_roles ON pg_roles.oid = refobjid
     WHERE refclassid = 'pg_catalog.pg_authid'::regclass AND deptype = 'o' AND datname = $1 AND rolname = ANY ($2)
     ORDER BY 1`,
    [database, roles],
  );
  return rows.map(({ name }) => name);
}

function baseRolesOf({ roles }: EnvironmentOutputs): string[] {
  return [...new Set(Object.values(roles).map(({ base_role }) => base_role))];
}
