import type { EnvironmentOutputs } from "../../stacks/outputs";
import { MEMBERSHIP_OPTIONS, type Membership } from "../membership";
import type { Foothold } from "./foothold";
import { EQ, FIRST_OWN_OID, GE, hashed, NE, roleName, type Query } from "./sql";

/**
 * Users that the engine has issued, which come and go: members of a base role by the grant of the engine's login, with a
 * password that ends. `status` sees to them; $1 are the base roles, $2 is that login.
 */
const ISSUED = `SELECT m.member FROM pg_catalog.pg_auth_members AS m
  JOIN pg_catalog.pg_roles AS base ON base.oid ${EQ} m.roleid AND base.rolname::pg_catalog.text ${EQ} ANY ($1::pg_catalog.text[])
  JOIN pg_catalog.pg_roles AS issued ON issued.oid ${EQ} m.member AND pg_catalog.isfinite(issued.rolvaliduntil)
  JOIN pg_catalog.pg_roles AS engine ON engine.oid ${EQ} m.grantor AND engine.rolname::pg_catalog.text ${EQ} $2::pg_catalog.text
  WHERE NOT m.admin_option`;

export interface FoundMembership extends Membership {
  readonly system: boolean;
  readonly roleIssued: boolean;
  readonly memberIssued: boolean;
}

export const MEMBERSHIPS: Query = {
  subject: "memberships",
  kinds: ["membership"],
  sql: `WITH issued AS MATERIALIZED (${ISSUED})
    SELECT ${roleName("m.roleid")} AS role, ${roleName("m.member")} AS member,
      (SELECT g.rolname::pg_catalog.text FROM pg_catalog.pg_roles AS g WHERE g.oid ${EQ} m.grantor) AS grantor,
      ${MEMBERSHIP_OPTIONS},
      m.roleid OPERATOR(pg_catalog.<) ${FIRST_OWN_OID} AND m.member ${GE} ${FIRST_OWN_OID} AS system,
      EXISTS (SELECT FROM issued AS i WHERE i.member ${EQ} m.roleid) AS "roleIssued",
      EXISTS (SELECT FROM issued AS i WHERE i.member ${EQ} m.member) AS "memberIssued"
    FROM pg_catalog.pg_auth_members AS m`,
};

export interface RoleAttributes {
  readonly name: string;
  readonly attributes: readonly (string | null)[];
  /** More than to log in, have rights of its own and inherit others'. */
  readonly powerful: boolean;
  readonly issued: boolean;
}

export const ROLES: Query = {
  subject: "roles",
  kinds: ["role"],
  sql: `WITH issued AS MATERIALIZED (${ISSUED})
    SELECT r.rolname::pg_catalog.text AS name,
      ARRAY[CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
        CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
        CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END, CASE WHEN r.rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
        CASE WHEN NOT r.rolinherit THEN 'NOINHERIT' END] AS attributes,
      r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls AS powerful,
      EXISTS (SELECT FROM issued AS i WHERE i.member ${EQ} r.oid) AS issued
    FROM pg_catalog.pg_roles AS r WHERE r.oid ${GE} ${FIRST_OWN_OID} OR r.oid ${EQ} 10`,
};

export interface Setting {
  /** `null` for all roles. */
  readonly role: string | null;
  /** Whether it is for this database only, and not for all. */
  readonly here: boolean;
  readonly name: string;
  /** Its beginning, where it is long. */
  readonly value: string;
  /** SHA-256 of the value. */
  readonly hash: string;
}

/** Characters that are fetched of a setting, which may be as long as a credential wants it. */
const LONGEST_READ = 2_000;
/** Above, name and value are hashed as they are kept, without a copy of the value. */
const LONGEST_CUT_BYTES = 1_000_000;
const AFTER_NAME = (entry: string) =>
  `pg_catalog.substr(${entry}, pg_catalog.strpos(${entry}, '=') OPERATOR(pg_catalog.+) 1)`;

export const SETTINGS: Query = {
  subject: "settings of roles and of the database",
  kinds: ["setting"],
  sql: `WITH issued AS MATERIALIZED (${ISSUED})
    SELECT CASE WHEN s.setrole ${NE} 0 THEN ${roleName("s.setrole")} END AS role, s.setdatabase ${NE} 0 AS here,
      pg_catalog.split_part(start, '=', 1) AS name, ${AFTER_NAME("start")} AS value,
      CASE WHEN pg_catalog.octet_length(setting) OPERATOR(pg_catalog.>) ${LONGEST_CUT_BYTES} THEN ${hashed("setting")}
        ELSE ${hashed(AFTER_NAME("setting"))} END AS hash
    FROM pg_catalog.pg_db_role_setting AS s, LATERAL pg_catalog.unnest(s.setconfig) AS of (setting),
      LATERAL pg_catalog.left(setting, ${LONGEST_READ}) AS beginning (start)
    WHERE (s.setdatabase ${EQ} 0 OR s.setdatabase ${EQ}
      (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname ${EQ} pg_catalog.current_database()))
      AND NOT EXISTS (SELECT FROM issued AS i WHERE i.member ${EQ} s.setrole)`,
};

/** What the queries above ask for. */
export const issuedBy = (outputs: EnvironmentOutputs): unknown[] => [
  baseRoles(outputs),
  outputs.postgres.manager,
];

function baseRoles({ roles, static_roles = {} }: EnvironmentOutputs): string[] {
  const names = [...Object.values(roles), ...Object.values(static_roles)].map(({ base_role }) => base_role);
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** Roles that the environment has itself, besides the users that its engine issues. */
export interface OwnRoles {
  /** Base roles, logins of static roles, the engine's login. */
  readonly declared: ReadonlySet<string>;
  /** The same, and the owner of the database, which is the login that deploys; it may have other environments' roles, too. */
  readonly all: ReadonlySet<string>;
}

export function rolesOf(outputs: EnvironmentOutputs, databaseOwner: string): OwnRoles {
  const logins = Object.values(outputs.static_roles ?? {}).map(({ username }) => username);
  const declared = [...baseRoles(outputs), ...logins, outputs.postgres.manager];
  return { declared: new Set(declared), all: new Set([...declared, databaseOwner]) };
}

/**
 * Who has the environment's roles, and what these have of others, by however many steps; and who has PostgreSQL's own
 * roles. The engine's users come and go.
 */
export function membershipFootholds(
  { postgres }: EnvironmentOutputs,
  own: OwnRoles,
  memberships: readonly FoundMembership[],
): Foothold[] {
  const lasting = memberships.filter(({ roleIssued, memberIssued }) => !roleIssued && !memberIssued);
  const having = reached(own.all, lasting, ({ role, member }) => [role, member]);
  const had = reached(own.declared, lasting, ({ role, member }) => [member, role]);
  return memberships
    .filter(({ role, member, admin, system, roleIssued, memberIssued }) => {
      // The engine's login becomes a member of each user that it makes, or ends.
      if (roleIssued) return member !== postgres.manager;
      if (memberIssued) return admin || !own.all.has(role);
      return system || having.has(role) || had.has(member);
    })
    .map(({ role, member, grantor, admin, inherit, set }) => ({
      kind: "membership",
      identity: `${member} in ${role} by ${grantor ?? "a role that is gone"}`,
      detail: [
        ...(admin ? ["ADMIN"] : []),
        ...(inherit === "true" ? ["INHERIT"] : []),
        ...(set === "true" ? ["SET"] : []),
      ].join(", "),
    }));
}

/** The roles that are reached from some by steps. */
function reached(
  from: ReadonlySet<string>,
  memberships: readonly FoundMembership[],
  step: (membership: FoundMembership) => readonly [from: string, to: string],
): ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const [start, end] of memberships.map(step)) next.set(start, [...(next.get(start) ?? []), end]);
  const found = new Set(from);
  // A set that is added to while it is gone through is gone through to its end.
  for (const role of found) next.get(role)?.forEach((other) => found.add(other));
  return found;
}

/** The environment's roles, and all of the server that can do more than others. */
export function roleFootholds({ all }: OwnRoles, roles: readonly RoleAttributes[]): Foothold[] {
  return roles
    .filter(({ name, powerful, issued }) => powerful || (!issued && all.has(name)))
    .map(({ name, attributes }) => ({
      kind: "role",
      identity: name,
      detail: attributes.filter((attribute) => attribute !== null).join(", "),
    }));
}

/** Applications keep secrets in settings of their own: of these, only that they changed is told. */
const SHOWN = /^(search_path|role|row_security|session_authorization|.*_preload_libraries|.*_timeout)$/;

/** Settings for all, for the database, and for the environment's roles: definition is the value. */
export function settingFootholds({ all }: OwnRoles, settings: readonly Setting[]): Foothold[] {
  return settings
    .filter(({ role, here }) => role === null || here || all.has(role))
    .map(({ role, here, name, value, hash }) => ({
      kind: "setting",
      identity: `${name} of ${role ?? "all"}${here ? " in this database" : ""}`,
      detail: SHOWN.test(name) ? value : "",
      hash,
    }));
}
