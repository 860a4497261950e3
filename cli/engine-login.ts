import { escapeIdentifier, type Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { baseRolesOf } from "./database-users";
import type { EngineStaticRole } from "./engine-roles";
import type { Finding } from "./finding";
import { listed } from "./text";

/** The login that the engine uses, and its database, as PostgreSQL has them. */
export interface EngineLogin {
  readonly isThere: boolean;
  readonly canLogin: boolean;
  readonly hasExpired: boolean;
  readonly mayMakeRoles: boolean;
  /** Base roles that it may not hand out, and logins of static roles whose password it may not set. */
  readonly notAdminOf: readonly string[];
  readonly database: "missing" | "shut" | "limited" | "broken" | "no CONNECT" | "open";
}

/** SQL of one's own may set a password by other rights than those of the login that runs it. */
const SETS_PASSWORD = /\bALTER\s+(ROLE|USER)\b/i;

/** @param staticRoles as the engine has them */
export async function engineLogin(
  client: Client,
  outputs: EnvironmentOutputs,
  staticRoles: Iterable<EngineStaticRole>,
): Promise<EngineLogin> {
  const { manager, database } = outputs.postgres;
  const logins = [...staticRoles].filter(
    ({ connection, rotation }) =>
      connection === outputs.vault.connection &&
      (rotation.length === 0 || rotation.some((sql) => SETS_PASSWORD.test(sql))),
  );
  const { rows } = await client.query<EngineLogin>(
    `SELECT login.oid IS NOT NULL AS "isThere",
       COALESCE(login.rolcanlogin AND login.rolconnlimit OPERATOR(pg_catalog.<>) 0, false) AS "canLogin",
       COALESCE(login.rolvaliduntil OPERATOR(pg_catalog.<) pg_catalog.now(), false) AS "hasExpired",
       COALESCE(login.rolcreaterole OR login.rolsuper, false) AS "mayMakeRoles",
       ARRAY(
         SELECT base.rolname::pg_catalog.text FROM pg_catalog.pg_roles AS base
         WHERE base.rolname OPERATOR(pg_catalog.=) ANY ($3) AND login.oid IS NOT NULL
           AND pg_catalog.current_setting('server_version_num')::int OPERATOR(pg_catalog.>=) 160000
           AND NOT pg_catalog.pg_has_role(login.oid, base.oid, 'MEMBER WITH ADMIN OPTION')
         ORDER BY 1
       ) AS "notAdminOf",
       CASE WHEN base.oid IS NULL THEN 'missing' WHEN NOT base.datallowconn THEN 'shut'
         WHEN base.datconnlimit OPERATOR(pg_catalog.<) '-1'::int THEN 'broken'
         WHEN base.datconnlimit OPERATOR(pg_catalog.=) 0 THEN 'limited'
         WHEN login.oid IS NOT NULL AND NOT pg_catalog.has_database_privilege(login.oid, base.oid, 'CONNECT')
           THEN 'no CONNECT'
         ELSE 'open' END AS database
     FROM (SELECT) AS one
     LEFT JOIN pg_catalog.pg_roles AS login ON login.rolname OPERATOR(pg_catalog.=) $1
     LEFT JOIN pg_catalog.pg_database AS base ON base.datname OPERATOR(pg_catalog.=) $2`,
    [manager, database, [...baseRolesOf(outputs), ...logins.map(({ username }) => username)]],
  );
  return rows[0]!;
}

/** Why the engine could issue, revoke and rotate nothing, or nothing of a role. */
export function engineLoginFindings(
  { postgres: { manager, database } }: EnvironmentOutputs,
  login: EngineLogin,
  deploy: string,
): Finding[] {
  const nothing = "the engine issues, revokes and rotates nothing";
  const found: Finding[] = [];
  if (!login.isThere) {
    found.push({
      kind: "missing-login",
      subject: manager,
      detail: `the engine's login is not in PostgreSQL: ${nothing}`,
      remedy: `${deploy}, which makes it with its first password. Then tell the engine that (config/…, password), and rotate-root`,
    });
  } else {
    const why = [
      ...(login.canLogin ? [] : ["may not log in (NOLOGIN, or CONNECTION LIMIT 0)"]),
      ...(login.hasExpired ? ["has a password whose time is over (VALID UNTIL)"] : []),
    ];
    if (why.length > 0) {
      found.push({
        kind: "login-off",
        subject: manager,
        detail: `the engine's login ${why.join(" and ")}: ${nothing}`,
        remedy: `Find out who did that; then ALTER ROLE … LOGIN VALID UNTIL 'infinity', or ${deploy}`,
      });
    }
    const rights = [
      ...(login.mayMakeRoles ? [] : ["CREATEROLE"]),
      ...(login.notAdminOf.length > 0 ? [`ADMIN of ${listed(login.notAdminOf)}`] : []),
      ...(login.database === "no CONNECT" ? [`CONNECT on ${database}`] : []),
    ];
    if (rights.length > 0) {
      found.push({
        kind: "missing-right",
        subject: manager,
        detail: `the engine's login lacks ${rights.join(", ")}: what needs it fails`,
        remedy: `Find out who took it away. ${deploy}`,
      });
    }
  }
  const lost = lostDatabase(login.database, database);
  if (lost !== undefined) {
    const { is, remedy } = lost;
    found.push({
      ...{ kind: "missing-database", subject: database, detail: `the database ${is}: ${nothing}` },
      ...(remedy !== undefined && { remedy }),
    });
  }
  return found;
}

function lostDatabase(
  state: EngineLogin["database"],
  database: string,
): { readonly is: string; readonly remedy?: string } | undefined {
  const alter = `Find out who did that. As a superuser, in another database: ALTER DATABASE ${escapeIdentifier(database)}`;
  switch (state) {
    case "missing":
      return { is: "is not in PostgreSQL" };
    case "shut":
      return { is: "lets nobody in (ALLOW_CONNECTIONS)", remedy: `${alter} ALLOW_CONNECTIONS true;` };
    case "limited":
      return { is: "lets nobody in (CONNECTION LIMIT 0)", remedy: `${alter} CONNECTION LIMIT -1;` };
    case "broken":
      return {
        is: "lets nobody in, as a DROP DATABASE of it was broken off",
        remedy:
          "What was in it is lost. As a superuser, drop it to the end; then restore it, or deploy it again.",
      };
    case "no CONNECT":
    case "open":
      return undefined;
  }
}
