import type { EnvironmentOutputs } from "../../stacks/outputs";
import type { Foothold } from "./foothold";
import { EQ, FIRST_OWN_OID, GE, identity, lasting, NE, regclass, roleName, type Query } from "./sql";

/** One privilege that somebody has on something that is another's. */
export interface Grant {
  /** What it is on, such as `table`. */
  readonly on: string;
  /** Its schema, where it is in one. */
  readonly schema: string | null;
  readonly identity: string;
  readonly owner: string;
  /** `null` for PUBLIC. */
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
}

const exploded = (acl: string, owner: string) => ({
  columns: `${roleName(owner)} AS owner, CASE WHEN entry.grantee ${NE} 0 THEN ${roleName("entry.grantee")} END AS grantee,
    entry.privilege_type AS privilege, entry.is_grantable AS grantable`,
  join: `LATERAL pg_catalog.aclexplode(${acl}) AS entry`,
  where: `entry.grantee ${NE} ${owner}`,
});

function grantsOn(
  on: string,
  from: string,
  { acl, owner, name, schema = "NULL", where = "true" }: Readonly<Record<string, string>>,
): string {
  const { columns, join, where: others } = exploded(acl ?? "", owner ?? "");
  return `SELECT ${on} AS on, ${schema}::pg_catalog.text AS schema, ${name} AS identity, ${columns}
    FROM ${from}, ${join} WHERE ${others} AND (${where})`;
}

/** That a privilege is not one of those that initdb, or an extension, gives, which are no finding. */
const sinceInitdb = (catalog: string, oid: string, part = "0") => `NOT EXISTS (
  SELECT FROM pg_catalog.pg_init_privs AS i, LATERAL pg_catalog.aclexplode(i.initprivs) AS first
  WHERE i.classoid ${EQ} ${regclass(catalog)} AND i.objoid ${EQ} ${oid} AND i.objsubid ${EQ} ${part}
    AND first.grantee ${EQ} entry.grantee AND first.privilege_type ${EQ} entry.privilege_type
    AND (first.is_grantable OR NOT entry.is_grantable))`;

/**
 * What others than the owner have by default, and do not have by an access control list. Such an entry goes when they get it back,
 * also where the list is gone then, or the object is made anew.
 */
const WITHOUT = `'without ' OPERATOR(pg_catalog.||) usual.privilege_type`;
const lacking = (acl: string, kind: string, owner: string) => ({
  join: `LATERAL pg_catalog.aclexplode(pg_catalog.acldefault(${kind}, ${owner})) AS usual`,
  grantee: `CASE WHEN usual.grantee ${NE} 0 THEN ${roleName("usual.grantee")} END`,
  where: `${acl} IS NOT NULL AND usual.grantee ${NE} ${owner} AND NOT EXISTS (
    SELECT FROM pg_catalog.aclexplode(${acl}) AS left_over
    WHERE left_over.grantee ${EQ} usual.grantee AND left_over.privilege_type ${EQ} usual.privilege_type)`,
});

function takenAway({
  on,
  from,
  schema,
  name,
  owner,
  acl,
  kind,
  where,
}: Readonly<Record<"on" | "from" | "schema" | "name" | "owner" | "acl" | "kind" | "where", string>>): string {
  const { join, grantee, where: others } = lacking(acl, kind, owner);
  return `SELECT ${on} AS on, ${schema}::pg_catalog.text AS schema, ${name} AS identity, ${roleName(owner)} AS owner,
      ${grantee} AS grantee, ${WITHOUT} AS privilege, false AS grantable
    FROM ${from}, ${join} WHERE ${others} AND (${where})`;
}

const RELATION_KIND = `CASE WHEN c.relkind ${EQ} 'S' THEN 'sequence' ELSE 'table' END`;
const IN_SCHEMA = `pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} c.relnamespace`;

/** Functions and languages say themselves who may use them. */
export const GRANTS: Query = {
  subject: "privileges",
  kinds: ["privilege"],
  sql: [
    grantsOn("'database'", "pg_catalog.pg_database AS d", {
      acl: "coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))",
      owner: "d.datdba",
      name: "pg_catalog.quote_ident(d.datname::pg_catalog.text)",
      where: `d.datname ${EQ} pg_catalog.current_database()`,
    }),
    grantsOn("'schema'", "pg_catalog.pg_namespace AS n", {
      acl: "n.nspacl",
      owner: "n.nspowner",
      name: "pg_catalog.quote_ident(n.nspname::pg_catalog.text)",
      schema: "n.nspname",
      where: `${lasting("n")} AND (n.nspname::pg_catalog.text OPERATOR(pg_catalog.!~) '^(pg_|information_schema$)'
        OR ${sinceInitdb("pg_namespace", "n.oid")})`,
    }),
    grantsOn(RELATION_KIND, IN_SCHEMA, {
      acl: "c.relacl",
      owner: "c.relowner",
      name: identity("pg_class", "c.oid"),
      schema: "n.nspname",
      where: `c.oid ${GE} ${FIRST_OWN_OID} AND ${lasting("n")}`,
    }),
    grantsOn(
      "'column'",
      `${IN_SCHEMA} JOIN pg_catalog.pg_attribute AS a ON a.attrelid ${EQ} c.oid AND a.attacl IS NOT NULL`,
      {
        acl: "a.attacl",
        owner: "c.relowner",
        name: identity("pg_class", "c.oid", "a.attnum"),
        schema: "n.nspname",
        where: `${lasting("n")} AND (c.oid ${GE} ${FIRST_OWN_OID} OR ${sinceInitdb("pg_class", "c.oid", "a.attnum")})`,
      },
    ),
    grantsOn(
      "'type'",
      "pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace",
      {
        acl: "t.typacl",
        owner: "t.typowner",
        name: identity("pg_type", "t.oid"),
        schema: "n.nspname",
        where: `t.oid ${GE} ${FIRST_OWN_OID}`,
      },
    ),
    grantsOn("'large object'", "pg_catalog.pg_largeobject_metadata AS l", {
      acl: "l.lomacl",
      owner: "l.lomowner",
      name: "l.oid::pg_catalog.text",
    }),
    grantsOn("'foreign server'", "pg_catalog.pg_foreign_server AS s", {
      acl: "s.srvacl",
      owner: "s.srvowner",
      name: "pg_catalog.quote_ident(s.srvname::pg_catalog.text)",
    }),
    grantsOn("'foreign-data wrapper'", "pg_catalog.pg_foreign_data_wrapper AS w", {
      acl: "w.fdwacl",
      owner: "w.fdwowner",
      name: "pg_catalog.quote_ident(w.fdwname::pg_catalog.text)",
    }),
    takenAway({
      on: "'type'",
      from: `pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} t.typnamespace
        LEFT JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} t.typrelid`,
      schema: "n.nspname",
      name: identity("pg_type", "t.oid"),
      owner: "t.typowner",
      acl: "t.typacl",
      kind: "'T'",
      where: `t.oid ${GE} ${FIRST_OWN_OID} AND t.typelem ${EQ} 0 AND (c.oid IS NULL OR c.relkind ${EQ} 'c')`,
    }),
    ...[
      ["'system function'", "pg_catalog.pg_proc AS o", "pg_proc", "o.pro"] as const,
      ["'system relation'", "pg_catalog.pg_class AS o", "pg_class", "o.rel"] as const,
    ].map(([on, from, catalog, column]) =>
      grantsOn(on, from, {
        acl: `${column}acl`,
        owner: `${column}owner`,
        name: identity(catalog, "o.oid"),
        where: `(${column}namespace ${EQ} 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid
          OR ${column}namespace ${EQ} 'information_schema'::pg_catalog.regnamespace::pg_catalog.oid)
          AND ${sinceInitdb(catalog, "o.oid")}`,
      }),
    ),
  ].join("\nUNION ALL\n"),
};

/** One default privilege. */
export interface DefaultGrant {
  readonly maker: string;
  readonly schema: string | null;
  readonly on: string;
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
}

const DEFAULTS_ON = `CASE WHEN d.defaclobjtype ${EQ} 'r' THEN 'tables' WHEN d.defaclobjtype ${EQ} 'S' THEN 'sequences'
  WHEN d.defaclobjtype ${EQ} 'f' THEN 'functions' WHEN d.defaclobjtype ${EQ} 'T' THEN 'types'
  WHEN d.defaclobjtype ${EQ} 'n' THEN 'schemas' ELSE 'large objects' END`;

/** What a default takes away, it takes away for all schemas; for one schema it only adds. */
const takenByDefault = lacking(
  "d.defaclacl",
  // The one kind that has another letter there.
  `CASE WHEN d.defaclobjtype ${EQ} 'S' THEN 's'::pg_catalog."char" ELSE d.defaclobjtype END`,
  "d.defaclrole",
);

export const DEFAULT_GRANTS: Query = {
  subject: "default privileges",
  kinds: ["default privilege"],
  sql: `SELECT ${roleName("d.defaclrole")} AS maker,
      CASE WHEN d.defaclnamespace ${NE} 0 THEN d.defaclnamespace::pg_catalog.regnamespace::pg_catalog.text END AS schema,
      ${DEFAULTS_ON} AS on,
      CASE WHEN entry.grantee ${NE} 0 THEN ${roleName("entry.grantee")} END AS grantee,
      entry.privilege_type AS privilege, entry.is_grantable AS grantable
    FROM pg_catalog.pg_default_acl AS d, LATERAL pg_catalog.aclexplode(d.defaclacl) AS entry
    WHERE entry.grantee ${NE} d.defaclrole
    UNION ALL
    SELECT ${roleName("d.defaclrole")}, NULL, ${DEFAULTS_ON}, ${takenByDefault.grantee}, ${WITHOUT}, false
    FROM pg_catalog.pg_default_acl AS d, ${takenByDefault.join}
    WHERE d.defaclnamespace ${EQ} 0 AND ${takenByDefault.where}`,
};

/** What the environment's access levels give their base roles, on objects of whomever: that is none of the list's. */
function isDeclared({ roles, static_roles = {}, postgres }: EnvironmentOutputs, grant: Grant): boolean {
  if (grant.grantable) return false;
  if (grant.grantee === postgres.manager) return grant.on === "database" && grant.privilege === "CONNECT";
  return [...Object.values(roles), ...Object.values(static_roles)].some(
    ({ base_role, access, schemas = [] }) =>
      base_role === grant.grantee &&
      (grant.schema === null || schemas.includes(grant.schema)) &&
      (DECLARED[access ?? ""]?.[grant.on] ?? []).includes(grant.privilege),
  );
}

const DECLARED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  owner: { database: ["CONNECT", "TEMPORARY"], schema: ["USAGE", "CREATE"] },
  "read-write": {
    database: ["CONNECT"],
    schema: ["USAGE"],
    table: ["SELECT", "INSERT", "UPDATE", "DELETE"],
    sequence: ["USAGE", "SELECT"],
  },
  "read-only": { database: ["CONNECT"], schema: ["USAGE"], table: ["SELECT"], sequence: ["SELECT"] },
};

/** Privileges beyond those that the environment declares, one entry for whoever has some on something. */
export function grantFootholds(outputs: EnvironmentOutputs, grants: readonly Grant[]): Foothold[] {
  return gathered(
    grants.filter((grant) => !isDeclared(outputs, grant)),
    (grant) => ({
      kind: "privilege",
      identity: `${grantee(grant)} on ${grant.on} ${grant.identity}`,
      owner: grant.owner,
    }),
  );
}

/** All default privileges: those that the environment declares are part of the list, and stay the same. */
export function defaultGrantFootholds(grants: readonly DefaultGrant[]): Foothold[] {
  return gathered(grants, (grant) => ({
    kind: "default privilege",
    identity: `${grantee(grant)} on ${grant.on} made by ${grant.maker}${grant.schema === null ? "" : ` in ${grant.schema}`}`,
    owner: grant.maker,
  }));
}

const grantee = (grant: { readonly grantee: string | null }) => grant.grantee ?? "PUBLIC";

function gathered<G extends { readonly privilege: string; readonly grantable: boolean }>(
  grants: readonly G[],
  entryOf: (grant: G) => Pick<Foothold, "kind" | "identity" | "owner">,
): Foothold[] {
  const entries = new Map<string, Foothold & { readonly privileges: Set<string> }>();
  for (const grant of grants) {
    const entry = { ...entryOf(grant), detail: "", privileges: new Set<string>() };
    const known = entries.get(entry.identity) ?? entry;
    known.privileges.add(grant.grantable ? `${grant.privilege}*` : grant.privilege);
    entries.set(entry.identity, known);
  }
  return [...entries.values()].map(({ privileges, ...entry }) => ({
    ...entry,
    detail: [...privileges].sort().join(", "),
  }));
}
