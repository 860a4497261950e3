import { escapeIdentifier, type Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";

const INSUFFICIENT_PRIVILEGE = "42501";

/** A login of PostgreSQL that the engine has made. */
export interface DatabaseUser {
  readonly name: string;
  readonly oid: number;
  /** Roles that it is a member of. */
  readonly baseRoles: readonly string[];
  /** Milliseconds since 1970; Infinity where its password has no end. */
  readonly validUntil: number;
  /** How many sessions it has. */
  readonly sessions: number;
  /** Process ids of its sessions. */
  readonly pids: readonly number[];
  /**
   * Whether the engine's login may renew, change and drop it. From PostgreSQL 16 on that takes ADMIN on it, which whoever made
   * it has, and nobody of the same name after that.
   */
  readonly isManaged: boolean;
  /**
   * Why it may not log in any more: revocation has begun, or its time is over by the server's clock. Or, where its row was
   * held so that its login could not be shut, why it has no rights any more.
   */
  readonly shut?: "NOLOGIN" | "expired" | "stripped";
}

/** What the engine's configuration tells of its users, to know them by. */
export interface KnownNames {
  /** What the names of the connection's users begin with; empty where that is no sign of this connection. */
  readonly prefix: string;
  /** Logins of static roles, those of other stacks too. */
  readonly staticLogins: readonly string[];
  /** Whether these are all that the engine has: then no other login that lasts is one. */
  readonly areAllStaticLogins: boolean;
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

const IS_OF_BASE_ROLE = `EXISTS (
  SELECT FROM pg_catalog.pg_auth_members AS membership
  JOIN pg_catalog.pg_roles AS base ON base.oid OPERATOR(pg_catalog.=) membership.roleid
  WHERE membership.member OPERATOR(pg_catalog.=) login.oid AND base.rolname OPERATOR(pg_catalog.=) ANY ($1)
)`;
const IS_OF_MANAGER = `EXISTS (
  SELECT FROM pg_catalog.pg_auth_members AS membership
  JOIN pg_catalog.pg_roles AS manager ON manager.oid OPERATOR(pg_catalog.=) membership.member
  WHERE membership.roleid OPERATOR(pg_catalog.=) login.oid AND manager.rolname OPERATOR(pg_catalog.=) $3
)`;

/**
 * Logins that the engine has made: those whose names begin as only this connection's do; members of the environment's base
 * roles, and others that the engine's login is a member of, if their password ends some time, which is how the engine makes
 * them; and, of those whose password has no end, such as both hold for. The engine's login itself and the logins of static
 * roles are left out.
 */
export async function databaseUsers(
  client: Client,
  outputs: EnvironmentOutputs,
  { prefix, staticLogins, areAllStaticLogins }: KnownNames,
): Promise<DatabaseUser[]> {
  const statics = Object.values(outputs.static_roles ?? {}).map(({ username }) => username);
  const { manager } = outputs.postgres;
  const { rows } = await client.query<
    Omit<DatabaseUser, "sessions" | "shut" | "validUntil"> & {
      canLogin: boolean;
      hasExpired: boolean;
      validUntil: number | null;
    }
  >(
    `SELECT login.rolname AS name, login.oid::bigint::double precision AS oid, login.rolcanlogin AS "canLogin",
       login.rolvaliduntil OPERATOR(pg_catalog.<) pg_catalog.now() AS "hasExpired",
       EXTRACT(epoch FROM login.rolvaliduntil)::double precision AS "validUntil",
       ARRAY(
         SELECT DISTINCT base.rolname::pg_catalog.text FROM pg_catalog.pg_auth_members AS membership
         JOIN pg_catalog.pg_roles AS base ON base.oid OPERATOR(pg_catalog.=) membership.roleid
         WHERE membership.member OPERATOR(pg_catalog.=) login.oid ORDER BY 1
       ) AS "baseRoles",
       COALESCE(activity.pids, ARRAY[]::int[]) AS pids,
       COALESCE((
         SELECT engine.rolsuper OR pg_catalog.current_setting('server_version_num')::int OPERATOR(pg_catalog.<) 160000
           OR pg_catalog.pg_has_role(engine.oid, login.oid, 'MEMBER WITH ADMIN OPTION')
         FROM pg_catalog.pg_roles AS engine WHERE engine.rolname OPERATOR(pg_catalog.=) $3
       ), true) AS "isManaged"
     FROM pg_catalog.pg_roles AS login
     LEFT JOIN (
       SELECT usesysid, pg_catalog.array_agg(pid ORDER BY pid) AS pids
       FROM pg_catalog.pg_stat_activity GROUP BY usesysid
     ) AS activity ON activity.usesysid OPERATOR(pg_catalog.=) login.oid
     WHERE login.rolname OPERATOR(pg_catalog.<>) ALL ($2)
       AND (
         ($4 OPERATOR(pg_catalog.<>) '' AND pg_catalog.starts_with(login.rolname::pg_catalog.text, $4))
         OR (pg_catalog.isfinite(login.rolvaliduntil) AND (${IS_OF_BASE_ROLE} OR ${IS_OF_MANAGER}))
         OR ($5 AND login.rolcanlogin AND login.rolname OPERATOR(pg_catalog.<>) ALL ($1)
           AND ${IS_OF_BASE_ROLE} AND ${IS_OF_MANAGER})
       )
     ORDER BY login.rolname`,
    [baseRolesOf(outputs), [manager, ...statics, ...staticLogins], manager, prefix, areAllStaticLogins],
  );
  return rows.map(({ canLogin, hasExpired, validUntil, pids, ...user }) => ({
    ...{ ...user, pids, sessions: pids.length },
    validUntil: validUntil === null ? Infinity : Math.max(0, validUntil * 1_000),
    ...(!canLogin ? { shut: "NOLOGIN" as const } : hasExpired ? { shut: "expired" as const } : {}),
  }));
}

/** Base roles of the environment that the server does not have: then it is another server. */
export async function missingBaseRoles(client: Client, outputs: EnvironmentOutputs): Promise<string[]> {
  const names = baseRolesOf(outputs);
  const { rows } = await client.query<{ rolname: string }>(
    "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) ANY ($1)",
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
    `SELECT pid, usesysid::bigint::double precision AS oid,
       EXTRACT(epoch FROM backend_start)::double precision AS started, state
     FROM pg_catalog.pg_stat_activity
     WHERE datname OPERATOR(pg_catalog.=) $1 AND usesysid OPERATOR(pg_catalog.<>) 0 AND usename IS NULL
     ORDER BY pid`,
    [database],
  );
  return rows.map(({ pid, oid, started, state }) => ({
    ...{ pid, roleOid: oid },
    ...(started !== null && { startedAt: started * 1_000 }),
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
     FROM pg_catalog.pg_stat_activity AS activity
     WHERE usename IS NULL AND EXISTS (
       SELECT FROM ROWS FROM (pg_catalog.unnest($1::int[]), pg_catalog.unnest($2::bigint[])) AS outlived (pid, oid)
       WHERE outlived.pid OPERATOR(pg_catalog.=) activity.pid
         AND outlived.oid OPERATOR(pg_catalog.=) activity.usesysid::bigint
     )`,
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
    `SELECT pid, usename::pg_catalog.text AS user
     FROM pg_catalog.pg_stat_activity AS activity
     WHERE datname OPERATOR(pg_catalog.=) $1 AND usesysid OPERATOR(pg_catalog.<>) 0
       AND (usename IS NULL OR usename OPERATOR(pg_catalog.<>) $2)
       AND NOT COALESCE(
         (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user), false)
       AND CASE
         WHEN usename IS NULL THEN NOT pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')
         WHEN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid OPERATOR(pg_catalog.=) usesysid) THEN true
         ELSE NOT pg_catalog.pg_has_role(usesysid, 'USAGE')
           AND NOT pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')
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
       WHERE usename OPERATOR(pg_catalog.=) $1 AND datname OPERATOR(pg_catalog.=) $2`,
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
    `SELECT DISTINCT rolname::pg_catalog.text AS name
     FROM pg_catalog.pg_shdepend
     JOIN pg_catalog.pg_database ON pg_database.oid OPERATOR(pg_catalog.=) dbid
     JOIN pg_catalog.pg_roles ON pg_roles.oid OPERATOR(pg_catalog.=) refobjid
     WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
       AND deptype OPERATOR(pg_catalog.=) 'o'
       AND datname OPERATOR(pg_catalog.=) $1 AND rolname OPERATOR(pg_catalog.=) ANY ($2)
     ORDER BY 1`,
    [database, roles],
  );
  return rows.map(({ name }) => name);
}

/** Roles that nobody logs in as, whose names begin so, and that the engine's login may hand out. */
export async function baseRolesNamedLike(client: Client, prefix: string, manager: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT base.rolname::pg_catalog.text AS name FROM pg_catalog.pg_auth_members AS membership
     JOIN pg_catalog.pg_roles AS base ON base.oid OPERATOR(pg_catalog.=) membership.roleid
     JOIN pg_catalog.pg_roles AS engine ON engine.oid OPERATOR(pg_catalog.=) membership.member
     WHERE engine.rolname OPERATOR(pg_catalog.=) $1 AND membership.admin_option AND NOT base.rolcanlogin
       AND pg_catalog.starts_with(base.rolname::pg_catalog.text, $2)
     ORDER BY 1`,
    [manager, prefix],
  );
  return rows.map(({ name }) => name);
}

/** Names of the environment's base roles, each once. */
export function baseRolesOf({ roles }: EnvironmentOutputs): string[] {
  return [...new Set(Object.values(roles).map(({ base_role }) => base_role))];
}
