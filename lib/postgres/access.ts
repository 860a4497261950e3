import { ConfigurationError, show } from "../errors";
import { listedOneByOne } from "../known-at-synthesis";
import { idOf, postgresIdentifier } from "../names";
import { isUnresolved, mayBeOneOf } from "../tokens";

/** What a grant is on. */
export type GrantTarget = "database" | "schema" | "table" | "sequence" | "function";

/** Privileges that PostgreSQL knows for each target; `ALL` is left out, it means other things in other versions. */
const PRIVILEGES: Readonly<Record<GrantTarget, readonly string[]>> = {
  database: ["CONNECT", "CREATE", "TEMPORARY"],
  schema: ["USAGE", "CREATE"],
  table: ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"],
  sequence: ["USAGE", "SELECT", "UPDATE"],
  function: ["EXECUTE"],
};

/** One grant of the user's own list. */
export interface AccessGrant {
  /** What the privileges are on. */
  readonly on: GrantTarget;
  /** Needed for everything but `database`. */
  readonly schema?: string;
  /**
   * Names of tables, sequences or functions in the schema. An object is in one grant of its kind only: one on all in the
   * schema stands alone. A list may change at will; a change from all to named objects, or back, needs two deployments
   * (docs/environment.md, "Changing what a role may do").
   *
   * @default - all in the schema, and by default privileges those made later
   */
  readonly objects?: readonly string[];
  /** Privileges by their SQL names, such as `SELECT`; `ALL` is refused. */
  readonly privileges: readonly string[];
}

/** Which schemas an access level covers. */
export interface AccessOptions {
  /** Schemas that its access covers. @default ["public"] */
  readonly schemas?: readonly string[];
}

/** {@link AccessOptions} of an owner. */
export interface OwnerAccessOptions extends AccessOptions {
  /**
   * Whether schemas may be made in the database, too.
   *
   * @default false
   */
  readonly createSchemas?: boolean;
}

/** Name of an access level; `custom` for a list of grants. */
export type AccessLevel = "owner" | "read-write" | "read-only" | "custom";

/** What a base role may do in its database: one of the levels, or the user's own list of grants. */
export class Access {
  /**
   * Makes, changes and drops tables in the schemas; for migrations. Temporary tables are allowed.
   *
   * @throws ConfigurationError for a list of schemas that is empty or names one twice
   */
  static owner(options: OwnerAccessOptions = {}): Access {
    const schemas = schemasOf(options);
    const onDatabase = ["CONNECT", "TEMPORARY", ...(options.createSchemas === true ? ["CREATE"] : [])];
    return new Access("owner", schemas, [
      { on: "database", privileges: onDatabase },
      ...schemas.map((schema): AccessGrant => ({ on: "schema", schema, privileges: ["USAGE", "CREATE"] })),
    ]);
  }

  /**
   * Reads and changes rows of all tables in the schemas, also of those made later by an owner; draws from sequences.
   *
   * @throws ConfigurationError for a list of schemas that is empty or names one twice
   */
  static readWrite(options: AccessOptions = {}): Access {
    return Access.ofRows(
      "read-write",
      options,
      ["SELECT", "INSERT", "UPDATE", "DELETE"],
      ["USAGE", "SELECT"],
    );
  }

  /**
   * Reads all tables and sequences in the schemas, also those made later by an owner.
   *
   * @throws ConfigurationError for a list of schemas that is empty or names one twice
   */
  static readOnly(options: AccessOptions = {}): Access {
    return Access.ofRows("read-only", options, ["SELECT"], ["SELECT"]);
  }

  /**
   * Just these grants; CONNECT on the database is not implied.
   *
   * @throws ConfigurationError for a privilege that the target does not have, and for two grants on one object, of which one
   *   may be on all in its schema
   */
  static custom(grants: readonly AccessGrant[]): Access {
    grants.forEach(checkGrant);
    const schemas = new Set(grants.flatMap((grant) => (grant.schema === undefined ? [] : [grant.schema])));
    return new Access("custom", [...schemas], grants);
  }

  private static ofRows(
    level: AccessLevel,
    options: AccessOptions,
    onTables: readonly string[],
    onSequences: readonly string[],
  ): Access {
    const schemas = schemasOf(options);
    return new Access(level, schemas, [
      { on: "database", privileges: ["CONNECT"] },
      ...schemas.flatMap((schema): AccessGrant[] => [
        { on: "schema", schema, privileges: ["USAGE"] },
        { on: "table", schema, privileges: onTables },
        { on: "sequence", schema, privileges: onSequences },
      ]),
    ]);
  }

  private constructor(
    /** Which of the levels it is. */
    readonly level: AccessLevel,
    /** Schemas that it covers, in the order given. */
    readonly schemas: readonly string[],
    /** The grants that make it up. */
    readonly grants: readonly AccessGrant[],
  ) {}
}

function schemasOf(options: AccessOptions): readonly string[] {
  const schemas = listedOneByOne("schemas of an access level", options.schemas ?? ["public"]);
  if (schemas.length === 0) {
    throw new ConfigurationError(
      "An access level covers no schema.",
      "Name at least one, or leave it out for public.",
    );
  }
  schemas.forEach((schema) => postgresIdentifier("schema", schema));
  const twice = schemas.find(
    (schema, index) => schemas.map(addressPart).indexOf(addressPart(schema)) !== index,
  );
  if (twice !== undefined) {
    throw new ConfigurationError(`An access level names the schema ${show(twice)} twice.`, "Name it once.");
  }
  return schemas;
}

function checkGrant(grant: AccessGrant, index: number, all: readonly AccessGrant[]): void {
  const allowed = PRIVILEGES[grant.on];
  const refused = grant.privileges.find((privilege) => !mayBeOneOf(privilege, allowed));
  if (refused !== undefined || grant.privileges.length === 0) {
    throw new ConfigurationError(
      `A grant on a ${grant.on} has the privileges ${show(grant.privileges)}.`,
      `Use one or more of ${allowed.join(", ")}.`,
    );
  }
  if (grant.on === "database" ? grant.schema !== undefined : grant.schema === undefined) {
    throw new ConfigurationError(
      `A grant on a ${grant.on} has ${grant.schema === undefined ? "no schema" : `the schema ${show(grant.schema)}`}.`,
      grant.on === "database" ? "Leave the schema out." : "Name the schema.",
    );
  }
  if (
    grant.objects !== undefined &&
    (grant.on === "database" || grant.on === "schema" || grant.objects.length === 0)
  ) {
    throw new ConfigurationError(
      `A grant on a ${grant.on} names the objects ${show(grant.objects)}.`,
      "Name objects for tables, sequences and functions only, or leave them out for all.",
    );
  }
  if (grant.schema !== undefined) postgresIdentifier("schema", grant.schema);
  grant.objects?.forEach((object) => postgresIdentifier(grant.on, object));
  if (all.findIndex((other) => addressPart(grantId(other)) === addressPart(grantId(grant))) !== index) {
    throw new ConfigurationError(
      `There are two grants on ${show(grantId(grant))}; each would revoke what the other gives, or have its address.`,
      "List all privileges in one grant.",
    );
  }
  all.slice(0, index).forEach((other) => checkApart(other, grant));
}

/**
 * Terraform's provider revokes all that the role may on the objects of a grant before it gives what the grant says, and on a
 * whole schema from all that is in it: of two grants on one object, each deployment would take away what the other gave.
 */
function checkApart(a: AccessGrant, b: AccessGrant): void {
  if (a.on !== b.on || a.schema !== b.schema || a.on === "database" || a.on === "schema") return;
  const target = `${a.on}s in the schema ${show(a.schema)}`;
  if (a.objects === undefined || b.objects === undefined) {
    throw new ConfigurationError(
      `There is a grant on all ${target}, and one on ${show(a.objects ?? b.objects)} of them; each would revoke what the other gives.`,
      `List the ${a.on}s one by one, each in one grant with all its privileges; or give the privileges on these by another base role.`,
    );
  }
  const both = a.objects.find((one) => b.objects?.some((other) => isSameObject(one, other)));
  if (both !== undefined) {
    throw new ConfigurationError(
      `There are two grants on ${show(both)} among the ${target}; each would revoke what the other gives.`,
      `Name each ${a.on} in one grant, with all its privileges.`,
    );
  }
}

/** A function may be named with its arguments, and without them where it is the only one of its name. */
function isSameObject(a: string, b: string): boolean {
  if (a === b) return true;
  const nameOf = (object: string) => object.split("(", 1)[0];
  return nameOf(a) === nameOf(b) && [a, b].some((each) => !each.includes("("));
}

/**
 * A grant as what Terraform is to declare: one for each object that it names, so that a list that grows or shrinks touches only
 * what the change is about. Terraform makes and deletes two addresses in no certain order, and the provider's deletion revokes
 * what the other may have given already. What has no address of its own stays together.
 */
export function byObject(grant: AccessGrant): readonly AccessGrant[] {
  const objects = [...new Set(grant.objects ?? [])];
  const isKnown = !isUnresolved(grant.objects) && !objects.some((object) => isUnresolved(object));
  const isApart = objects.every(
    (one, index) => !objects.slice(0, index).some((other) => isSameObject(one, other)),
  );
  return isKnown && isApart && objects.length > 1
    ? objects.map((object) => ({ ...grant, objects: [object] }))
    : [grant];
}

/** As a construct id, and so a Terraform address, has it. */
function addressPart(id: string): string {
  return id.replaceAll("/", "--");
}

/** Identifies a grant within its role: the part of a construct id that never changes. */
export function grantId(grant: AccessGrant): string {
  const parts = [grant.on, grant.schema, ...[...(grant.objects ?? [])].sort()];
  return parts.flatMap((part) => (part === undefined ? [] : [idOf(part)])).join("-");
}
