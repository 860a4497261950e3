import type { Settings } from "./import-ids";

/** A role as PostgreSQL has it. */
export interface RoleThere {
  readonly name: string;
  readonly login: boolean;
  readonly superuser: boolean;
  readonly create_role: boolean;
  readonly create_database: boolean;
  readonly replication: boolean;
  readonly bypass_row_level_security: boolean;
  /** What it is a member of. */
  readonly roles: readonly string[];
  /** Of these, superusers and roles of PostgreSQL's own. */
  readonly powerful: readonly string[];
  /** Databases in which it owns more than large objects. */
  readonly owns_in: readonly string[];
  /** Databases that it owns. */
  readonly databases: readonly string[];
  /** Whether Terraform's login may change and drop it. */
  readonly ours_to_change: boolean;
}

/** What the code says of roles beside their own attributes. */
export interface RolesInCode {
  /** Databases in which a role may make things, by its grants. */
  readonly creates: ReadonlyMap<string, ReadonlySet<string>>;
  /** Databases by the role that owns them. */
  readonly owners: ReadonlyMap<string, ReadonlySet<string>>;
}

type Flag =
  "login" | "superuser" | "create_role" | "create_database" | "replication" | "bypass_row_level_security";

const FLAGS: readonly (readonly [Flag, there: string, missing: string])[] = [
  ["login", "may log in (LOGIN)", "may not log in (NOLOGIN)"],
  ["superuser", "is a superuser", "is no superuser"],
  ["create_role", "may create roles (CREATEROLE)", "may not create roles (NOCREATEROLE)"],
  ["create_database", "may create databases (CREATEDB)", "may not create databases (NOCREATEDB)"],
  ["replication", "may replicate (REPLICATION)", "may not replicate (NOREPLICATION)"],
  [
    "bypass_row_level_security",
    "passes row-level security (BYPASSRLS)",
    "does not pass row-level security (NOBYPASSRLS)",
  ],
];

/** How a role is of another kind than the code says; empty if it is not. */
export function roleDifferences(wanted: Settings, there: RoleThere, code: RolesInCode): string[] {
  const flags = FLAGS.filter(([flag]) => there[flag] !== (wanted[flag] ?? false)).map(([flag, yes, no]) =>
    there[flag] ? yes : no,
  );
  const roles = Array.isArray(wanted.roles) ? wanted.roles.filter(isPlain) : [];
  const missing = roles.filter((role) => !there.roles.includes(role));
  const more = ignoresAll(wanted) ? [] : there.powerful.filter((role) => !roles.includes(role));
  // An owner's login may have made something as itself.
  const mayOwnIn = [there.name, ...roles].flatMap((role) => [...(code.creates.get(role) ?? [])]);
  const ownsIn = there.owns_in.filter((database) => !mayOwnIn.includes(database));
  const owned = there.databases.filter((database) => code.owners.get(there.name)?.has(database) !== true);
  return [
    ...flags,
    ...missing.map((role) => `is no member of ${role}`),
    ...more.map((role) => `is a member of ${role}`),
    ...ownsIn.map((database) => `owns tables or the like in the database ${database}`),
    ...owned.map((database) => `owns the database ${database}`),
    ...(there.ours_to_change ? [] : ["was made by another login than Terraform's, which is not ADMIN of it"]),
  ];
}

/** A database as PostgreSQL has it, by the names of the provider's attributes. */
export interface DatabaseThere {
  readonly owner: string;
  readonly encoding: string;
  readonly lc_collate: string;
  readonly lc_ctype: string;
  /** Whether Terraform's login may connect to it. */
  readonly entered: boolean;
}

/** @param deployer Terraform's login, which owns what it makes unless the code says otherwise */
export function databaseDifferences(wanted: Settings, there: DatabaseThere, deployer: string): string[] {
  const owner = isPlain(wanted.owner) ? wanted.owner : deployer;
  const settings = (["encoding", "lc_collate", "lc_ctype"] as const).filter(
    (name) => isPlain(wanted[name]) && wanted[name] !== there[name],
  );
  return [
    ...(there.owner === owner ? [] : [`belongs to ${there.owner}, not to ${owner}`]),
    ...settings.map((name) => `has the ${name} ${there[name]}, and keeps it`),
  ];
}

/** A schema as PostgreSQL has it. */
export interface SchemaThere {
  readonly owner: string;
  /** Whether Terraform's login has the rights of the owner. */
  readonly ours: boolean;
}

export function schemaDifferences(wanted: Settings, there: SchemaThere, deployer: string): string[] {
  const owner = isPlain(wanted.owner) ? wanted.owner : deployer;
  return there.owner === owner || there.ours ? [] : [`belongs to ${there.owner}, not to ${owner}`];
}

/** Whether it is a text that Terraform takes as it is; of others only Terraform knows what they come to. */
export function isPlain(value: unknown): value is string {
  return typeof value === "string" && !/[$%]\{/.test(value);
}

function ignoresAll({ lifecycle }: Settings): boolean {
  const ignored = (lifecycle as { readonly ignore_changes?: unknown } | undefined)?.ignore_changes;
  return ignored === "all" || (Array.isArray(ignored) && ignored.includes("all"));
}
