import type { Client } from "pg";
import { loginsWithoutPassword } from "./role-passwords";

/** The login of a static role, as PostgreSQL has it. */
export interface StaticLogin {
  readonly name: string;
  readonly canLogin: boolean;
  /** Whether it may have no session (CONNECTION LIMIT 0). */
  readonly isLimited: boolean;
  /** Whether the date is over until which its password is valid. */
  readonly hasExpired: boolean;
  /** Roles that it is a member of, by itself. */
  readonly memberOf: readonly string[];
  /** Those of them whose rights it has without a SET ROLE. */
  readonly inherits: readonly string[];
  /** Whether it has a password at all; absent where the present login may not see that. */
  readonly hasPassword?: boolean;
}

/** A column that a membership has from PostgreSQL 16 on; null before. */
function option(column: string): string {
  return `(pg_catalog.to_jsonb(membership) OPERATOR(pg_catalog.->>) '${column}')::boolean`;
}

/** Those of the logins that are there. */
export async function staticLogins(client: Client, names: readonly string[]): Promise<StaticLogin[]> {
  const { rows } = await client.query<Omit<StaticLogin, "hasPassword">>(
    `SELECT rolname::pg_catalog.text AS name, rolcanlogin AS "canLogin",
       rolconnlimit OPERATOR(pg_catalog.=) 0 AS "isLimited",
       COALESCE(rolvaliduntil OPERATOR(pg_catalog.<) pg_catalog.now(), false) AS "hasExpired",
       ARRAY(
         SELECT DISTINCT base.rolname::pg_catalog.text FROM pg_catalog.pg_auth_members AS membership
         JOIN pg_catalog.pg_roles AS base ON base.oid OPERATOR(pg_catalog.=) membership.roleid
         WHERE membership.member OPERATOR(pg_catalog.=) login.oid
       ) AS "memberOf",
       ARRAY(
         SELECT DISTINCT base.rolname::pg_catalog.text FROM pg_catalog.pg_auth_members AS membership
         JOIN pg_catalog.pg_roles AS base ON base.oid OPERATOR(pg_catalog.=) membership.roleid
         WHERE membership.member OPERATOR(pg_catalog.=) login.oid
           AND COALESCE(${option("inherit_option")}, login.rolinherit)
       ) AS inherits
     FROM pg_catalog.pg_roles AS login WHERE rolname OPERATOR(pg_catalog.=) ANY ($1) ORDER BY rolname`,
    [names],
  );
  const without = await loginsWithoutPassword(client, names);
  return rows.map((row) => ({ ...row, ...(without && { hasPassword: !without.includes(row.name) }) }));
}
