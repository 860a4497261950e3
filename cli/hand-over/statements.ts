import { escapeIdentifier } from "pg";
import type { ObjectId } from "./access-lists";
import { isGivenOn, takingBack, type AccessList } from "./privileges";

/** One thing in the database that a user owns, or that names it in its privileges. */
export interface Dependency extends ObjectId {
  /** As pg_identify_object calls it, such as `table`. */
  readonly type: string;
  /** Its name as SQL reads it. */
  readonly identity: string;
  /** Whether the user owns it; else it has a privilege on it. */
  readonly owned: boolean;
  /** Who owns it, or the table that it is on; absent where it is the server's own. */
  readonly owner?: string;
  /** The schema that it is in, if it is in one. */
  readonly schema?: string;
  /** Whether it goes with a table, as the sequence of a serial column does. */
  readonly follows: boolean;
  /** For default privileges. */
  readonly defaults?: DefaultPrivileges;
  /** For a policy that names the user. */
  readonly policy?: Policy;
}

/** A policy, and the roles that it is for. */
export interface Policy {
  readonly name: string;
  /** Its table, with the schema, as SQL reads it. */
  readonly table: string;
  readonly roles: readonly string[];
}

/** What one entry of default privileges says. */
export interface DefaultPrivileges {
  readonly maker: string;
  /** `null` where they are for all schemas: those take no more than a handful of entries. */
  readonly schema: string | null;
  /** `r`, `S`, `f`, `T` or `n`. */
  readonly on: string;
  /** `null` for PUBLIC. */
  readonly grantees: readonly (string | null)[];
}

/** Statement words of what has an owner that can be changed by somebody who is no superuser. */
const OWNED: Readonly<Record<string, string>> = {
  "large object": "LARGE OBJECT",
  table: "TABLE",
  view: "VIEW",
  "materialized view": "MATERIALIZED VIEW",
  sequence: "SEQUENCE",
  "foreign table": "FOREIGN TABLE",
  "composite type": "TYPE",
  type: "TYPE",
  function: "ROUTINE",
  procedure: "ROUTINE",
  aggregate: "ROUTINE",
  schema: "SCHEMA",
  collation: "COLLATION",
  conversion: "CONVERSION",
  operator: "OPERATOR",
  "operator class": "OPERATOR CLASS",
  "operator family": "OPERATOR FAMILY",
  "statistics object": "STATISTICS",
  "text search configuration": "TEXT SEARCH CONFIGURATION",
  "text search dictionary": "TEXT SEARCH DICTIONARY",
  server: "SERVER",
  publication: "PUBLICATION",
  subscription: "SUBSCRIPTION",
};

/** Statement words of what has privileges. A table's take those of its columns along. */
const GRANTED: Readonly<Record<string, string>> = {
  "large object": "LARGE OBJECT",
  table: "TABLE",
  view: "TABLE",
  "materialized view": "TABLE",
  "foreign table": "TABLE",
  sequence: "SEQUENCE",
  function: "ROUTINE",
  procedure: "ROUTINE",
  aggregate: "ROUTINE",
  schema: "SCHEMA",
  type: "TYPE",
  server: "FOREIGN SERVER",
  "foreign-data wrapper": "FOREIGN DATA WRAPPER",
  language: "LANGUAGE",
  database: "DATABASE",
  tablespace: "TABLESPACE",
  "parameter ACL": "PARAMETER",
};

const DEFAULTS: Readonly<Record<string, string>> = {
  r: "TABLES",
  S: "SEQUENCES",
  f: "FUNCTIONS",
  T: "TYPES",
};

/** Locks a table for everybody until the transaction ends, so that few of it go into one. */
export function isRelation({ type }: Dependency): boolean {
  return ["table", "view", "materialized view", "sequence", "foreign table"].includes(type);
}

/**
 * What takes a dependency away: the owner is changed, the privilege revoked. A policy that is for nobody else is dropped, as
 * by the revocation itself, and nothing but such a policy is. None where it is left to the revocation.
 *
 * @param lists who may do what on it, where that is not its owner's doing alone
 */
export function statementsFor(
  dependency: Omit<Dependency, keyof ObjectId>,
  user: string,
  baseRole: string,
  lists: readonly AccessList[] = [],
): readonly string[] {
  const { type, owned, follows, defaults, policy } = dependency;
  if (policy !== undefined) return [policyStatement(policy, user)];
  if (defaults !== undefined) return defaultsStatements(defaults, user);
  if (follows) return [];
  const words = (owned ? OWNED : GRANTED)[type];
  if (words === undefined) return [];
  const named = `${words} ${identityOf(dependency)}`;
  if (owned) return [`ALTER ${named} OWNER TO ${escapeIdentifier(baseRole)}`];
  return isGivenOn(lists, user)
    ? takingBack(lists, named, user)
    : [`REVOKE ALL ON ${named} FROM ${escapeIdentifier(user)} CASCADE`];
}

/** A parameter's name is not as SQL reads it. */
function identityOf({ type, identity }: Pick<Dependency, "type" | "identity">): string {
  if (type !== "parameter ACL") return identity;
  return identity
    .split(".")
    .map((part) => escapeIdentifier(part))
    .join(".");
}

function policyStatement({ name, table, roles }: Policy, user: string): string {
  const others = roles.filter((role) => role !== user).map((role) => escapeIdentifier(role));
  const policy = `POLICY ${escapeIdentifier(name)} ON ${table}`;
  return others.length === 0 ? `DROP ${policy}` : `ALTER ${policy} TO ${others.join(", ")}`;
}

function defaultsStatements({ maker, schema, on, grantees }: DefaultPrivileges, user: string): string[] {
  const words = DEFAULTS[on];
  if (words === undefined || schema === null) return [];
  const named = maker === user ? grantees : [user];
  return named.map(
    (grantee) =>
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${escapeIdentifier(maker)} IN SCHEMA ${escapeIdentifier(schema)} ` +
      `REVOKE ALL ON ${words} FROM ${grantee === null ? "PUBLIC" : escapeIdentifier(grantee)}`,
  );
}
