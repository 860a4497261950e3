import type { Client } from "pg";
import type { EnvironmentOutputs } from "../../stacks/outputs";
import { databaseUsers } from "../database-users";
import { isLarge, settingsOf, type SettingsPlace } from "../large-settings";
import { parseUserName } from "../matching";
import { possibleRoles } from "../stripped-users";

/** A user of the engine that may not log in any more, and is there still. */
export interface EndedUser {
  readonly name: string;
  readonly oid: number;
  /** The base role that its rights came from, which gets what it owns. */
  readonly baseRole: string;
  /** How many sessions it has. */
  readonly sessions: number;
  /** How much in this database is its own, or names it: objects, privileges, default privileges. */
  readonly dependencies: number;
  /** The same in the server's other databases, where a revocation cannot hand anything over. */
  readonly elsewhere: number;
  /** Where its settings are, if they are so large that a revocation could not delete them in time; else empty. */
  readonly settings: readonly SettingsPlace[];
}

/**
 * Users that the engine's login has made members of a base role, and that may not log in: so a revocation leaves them that
 * could not come to its end. And those whose memberships it has taken away. Their password ends some time, or their name is
 * such as an engine makes: a group that somebody has made with the engine's login has neither.
 *
 * @param prefix what the names of the connection's users begin with; empty where that is no sign of this connection
 */
export async function endedUsers(
  client: Client,
  outputs: EnvironmentOutputs,
  prefix: string,
): Promise<EndedUser[]> {
  const bases = [...new Set(Object.values(outputs.roles).map(({ base_role }) => base_role))];
  const stripped = await strippedUsers(client, outputs, prefix);
  const { rows } = await client.query<Omit<EndedUser, "settings"> & { hasEnd: boolean }>(
    `SELECT issued.rolname::pg_catalog.text AS name, issued.oid::pg_catalog.int8::pg_catalog.float8 AS oid, ended.base AS "baseRole",
       COALESCE(pg_catalog.isfinite(issued.rolvaliduntil), false) AS "hasEnd",
       (SELECT pg_catalog.count(*)::pg_catalog.int4 FROM pg_catalog.pg_stat_activity AS a
         WHERE a.usesysid OPERATOR(pg_catalog.=) issued.oid) AS sessions,
       ${countOf("issued.oid", IS_LEFT_HERE)}::pg_catalog.float8 AS dependencies,
       ${countOf("issued.oid", ELSEWHERE)}::pg_catalog.float8 AS elsewhere
     FROM (
       SELECT m.member, pg_catalog.min(base.rolname::pg_catalog.text) FROM pg_catalog.pg_auth_members AS m
       JOIN pg_catalog.pg_roles AS base ON base.oid OPERATOR(pg_catalog.=) m.roleid
       JOIN pg_catalog.pg_roles AS engine ON engine.oid OPERATOR(pg_catalog.=) m.grantor
       WHERE base.rolname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
         AND engine.rolname::pg_catalog.text OPERATOR(pg_catalog.=) $2::pg_catalog.text
       GROUP BY m.member
       UNION ALL
       SELECT * FROM ROWS FROM (pg_catalog.unnest($3::pg_catalog.oid[]), pg_catalog.unnest($4::pg_catalog.text[])) AS one (id, base)
     ) AS ended (id, base)
     JOIN pg_catalog.pg_roles AS issued ON issued.oid OPERATOR(pg_catalog.=) ended.id
     WHERE NOT issued.rolcanlogin
     ORDER BY 1`,
    [
      bases,
      outputs.postgres.manager,
      stripped.map(({ oid }) => oid),
      stripped.map(({ baseRole }) => baseRole),
    ],
  );
  const ended = rows.filter(({ name, hasEnd }) => hasEnd || parseUserName(name) !== undefined);
  const settings = await settingsOf(
    client,
    ended.map(({ oid }) => oid),
  );
  return ended.map(({ hasEnd: _, ...user }) => {
    const places = settings.get(user.oid) ?? [];
    return { ...user, settings: isLarge(places) ? places : [] };
  });
}

/** Their base role is that of the role in their names, if no other can be meant. */
async function strippedUsers(
  client: Client,
  outputs: EnvironmentOutputs,
  prefix: string,
): Promise<Pick<EndedUser, "oid" | "baseRole">[]> {
  const users = await databaseUsers(client, outputs, { prefix, staticLogins: [], areAllStaticLogins: false });
  return users
    .filter(({ shut, baseRoles }) => shut === "NOLOGIN" && baseRoles.length === 0)
    .flatMap((user) => {
      const roles = possibleRoles(outputs, user).map((role) => outputs.roles[role]!.base_role);
      const [baseRole, ...others] = new Set(roles);
      return baseRole === undefined || others.length > 0 ? [] : [{ oid: user.oid, baseRole }];
    });
}

/** How much there is left of a user in this database. */
export async function dependenciesOf(client: Client, oid: number): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT ${countOf("$1::pg_catalog.oid", IS_LEFT_HERE)}::pg_catalog.float8 AS count`,
    [oid],
  );
  return rows[0]?.count ?? 0;
}

const THIS_DATABASE = `(SELECT b.oid FROM pg_catalog.pg_database AS b
  WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())`;

/**
 * What of pg_shdepend, as `d`, can be handed over or taken away from this database: what is in it, and privileges on what is the
 * whole server's, such as a database. Memberships go with the user.
 */
export const IS_LEFT_HERE = `(d.dbid OPERATOR(pg_catalog.=) ${THIS_DATABASE}
  OR (d.dbid OPERATOR(pg_catalog.=) 0::pg_catalog.oid AND d.deptype OPERATOR(pg_catalog.=) 'a'
    AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_auth_members'::pg_catalog.regclass))`;

const countOf = (oid: string, where: string) =>
  `(SELECT pg_catalog.count(*) FROM pg_catalog.pg_shdepend AS d
     WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
       AND d.refobjid OPERATOR(pg_catalog.=) ${oid} AND ${where})`;

const ELSEWHERE = `d.dbid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AND d.dbid OPERATOR(pg_catalog.<>) ${THIS_DATABASE}`;
