import type { Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { baseRolesOf } from "./database-users";

/** A role of PostgreSQL, a login or not, as the server has it. */
export interface FoundRole {
  readonly name: string;
  readonly oid: number;
  /** Such as `SUPERUSER` and `LOGIN`. */
  readonly attributes: readonly string[];
  /** Roles that it is a member of, by itself. */
  readonly memberOf: readonly string[];
  /** On how many schemas of the environment's database it has rights, or owns them. */
  readonly schemas: number;
  /** Whether it may connect to the environment's database. */
  readonly connects: boolean;
}

/** The environment's roles as the server has them, and what everybody may do with its database. */
export interface RoleSurvey {
  /** Base roles, the engine's login, logins of static roles, users. */
  readonly roles: readonly FoundRole[];
  /** Rights of PUBLIC on the database, such as `CONNECT`. */
  readonly publicRights: readonly string[];
}

/** Looks at all of them at once, from whichever database; so what a right is on is known by kind, not by name. */
export async function surveyRoles(
  client: Client,
  outputs: EnvironmentOutputs,
  users: readonly { readonly oid: number }[],
): Promise<RoleSurvey> {
  const { database, manager } = outputs.postgres;
  const logins = Object.values(outputs.static_roles ?? {}).map(({ username }) => username);
  const { rows: roles } = await client.query<FoundRole>(
    `SELECT role.rolname::pg_catalog.text AS name, role.oid::bigint::double precision AS oid,
       ARRAY(
         SELECT attribute FROM (VALUES ('SUPERUSER', rolsuper), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
           ('REPLICATION', rolreplication), ('BYPASSRLS', rolbypassrls), ('LOGIN', rolcanlogin)) AS one (attribute, held)
         WHERE held
       ) AS attributes,
       ARRAY(
         SELECT DISTINCT other.rolname::pg_catalog.text FROM pg_catalog.pg_auth_members AS membership
         JOIN pg_catalog.pg_roles AS other ON other.oid OPERATOR(pg_catalog.=) membership.roleid
         WHERE membership.member OPERATOR(pg_catalog.=) role.oid ORDER BY 1
       ) AS "memberOf",
       (SELECT pg_catalog.count(DISTINCT objid)::int FROM pg_catalog.pg_shdepend
         WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
           AND refobjid OPERATOR(pg_catalog.=) role.oid AND dbid OPERATOR(pg_catalog.=) base.oid
           AND classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass) AS schemas,
       COALESCE(pg_catalog.has_database_privilege(role.oid, base.oid, 'CONNECT'), false) AS connects
     FROM pg_catalog.pg_roles AS role
     LEFT JOIN pg_catalog.pg_database AS base ON base.datname OPERATOR(pg_catalog.=) $3
     WHERE role.rolname OPERATOR(pg_catalog.=) ANY ($1) OR role.oid OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.oid[])
     ORDER BY role.rolname`,
    [[...baseRolesOf(outputs), ...logins, manager], users.map(({ oid }) => oid), database],
  );
  const { rows: rights } = await client.query<{ right: string }>(
    `SELECT DISTINCT privilege_type AS right FROM pg_catalog.pg_database,
       pg_catalog.aclexplode(COALESCE(datacl, pg_catalog.acldefault('d', datdba)))
     WHERE datname OPERATOR(pg_catalog.=) $1 AND grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid ORDER BY 1`,
    [database],
  );
  return { roles, publicRights: rights.map(({ right }) => right) };
}
