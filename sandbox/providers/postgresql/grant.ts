// postgresql_grant
import type { ObjectValue } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { AttributeError, ResourceType } from "../resource/type";
import { databaseExists, ownersToActFor, schemaOwner } from "./catalog";
import { asMemberOf, lockCurrentUser, lockDatabase, lockRole, lockSchema, roleExists } from "./membership";
import { CATALOG_KIND, privilegeErrors, roleNumber, samePrivileges } from "./privileges";
import type { PostgresServer, Session } from "./server";
import { identifier } from "./sql";

const OBJECT_TYPES = ["database", "schema", "table", "sequence", "function", "procedure", "routine"];

export const grant: ResourceType<PostgresServer> = {
  facts: {
    serves: ["id", "role", "database", "schema", "object_type", "objects", "privileges", "with_grant_option"],
    forceNew: ["role", "database", "schema", "object_type", "objects", "columns", "with_grant_option"],
    defaults: { with_grant_option: false },
  },
  importable: false,

  validate(config) {
    const errors: AttributeError[] = [...privilegeErrors(config, OBJECT_TYPES)];
    const objectType = config.text("object_type");
    if (objectType !== "" && objectType !== "database" && !config.isWritten("schema")) {
      errors.push({ attribute: "schema", summary: `a grant on a ${objectType} needs "schema"` });
    }
    if (["database", "schema"].includes(objectType) && config.has("objects")) {
      errors.push({ attribute: "objects", summary: `a grant on a ${objectType} has no "objects"` });
    }
    return errors;
  },

  async create(server, wanted) {
    await change(server, wanted, wanted);
    return idOf(wanted);
  },

  async read(server, _id, known) {
    if (!(await everythingExists(server, known))) {
      return undefined;
    }
    const granted = await server.session((session) => grantedInstead(session, known), known.text("database"));
    const attributes: ObjectValue = granted === undefined ? {} : { privileges: granted };
    return { id: idOf(known), attributes };
  },

  async update(server, _id, wanted) {
    await change(server, wanted, wanted.earlier());
    return idOf(wanted);
  },

  async delete(server, _id, known) {
    await change(server, undefined, known);
  },
};

/** Revokes and grants in one transaction, so that nobody is without the rights in between. */
async function change(
  server: PostgresServer,
  wanted: Attributes | undefined,
  earlier: Attributes,
): Promise<void> {
  const attributes = wanted ?? earlier;
  const database = attributes.text("database");
  const schema = attributes.text("schema");
  const objectType = attributes.text("object_type");
  await server.transaction(async (session) => {
    await lockRole(session, attributes.text("role"));
    await lockCurrentUser(session);
    if (objectType === "database") {
      await lockDatabase(session, database);
    } else {
      await lockSchema(session, schema);
    }
    const owners =
      objectType === "database" ? [] : await ownersToActFor(session, database, schema, objectType);
    await asMemberOf(session, owners, async () => {
      await session.query(revoke(earlier));
      if (wanted?.has("privileges")) {
        const option = wanted.flag("with_grant_option") ? " WITH GRANT OPTION" : "";
        const privileges = wanted.texts("privileges").join(", ");
        await session.query(`GRANT ${privileges} ON ${target(wanted)} TO ${grantee(wanted)}${option}`);
      }
    });
  }, database);
}

/** On named objects only what was granted is revoked: rights on single columns are another resource's. */
function revoke(earlier: Attributes): string {
  const named = earlier.has("objects") && earlier.has("privileges");
  const privileges = named ? earlier.texts("privileges").join(", ") : "ALL PRIVILEGES";
  return `REVOKE ${privileges} ON ${target(earlier)} FROM ${grantee(earlier)}`;
}

function grantee(attributes: Attributes): string {
  return identifier(attributes.text("role"));
}

function target(attributes: Attributes): string {
  const objectType = attributes.text("object_type");
  const schema = identifier(attributes.text("schema"));
  switch (objectType) {
    case "database":
      return `DATABASE ${identifier(attributes.text("database"))}`;
    case "schema":
      return `SCHEMA ${schema}`;
    default: {
      const kind = objectType.toUpperCase();
      const objects = attributes.texts("objects").map((object) => `${schema}.${callable(object)}`);
      return objects.length === 0 ? `ALL ${kind}S IN SCHEMA ${schema}` : `${kind} ${objects.join(", ")}`;
    }
  }
}

/** A function may be named with its argument types, which are not part of the identifier. */
function callable(object: string): string {
  const parenthesis = object.indexOf("(");
  return parenthesis < 0
    ? identifier(object)
    : `${identifier(object.slice(0, parenthesis))}${object.slice(parenthesis)}`;
}

async function everythingExists(server: PostgresServer, known: Attributes): Promise<boolean> {
  const database = known.text("database");
  if (!(await server.session((session) => databaseExists(session, database)))) {
    return false;
  }
  return server.session(async (session) => {
    const role = known.text("role");
    if (role !== "public" && !(await roleExists(session, role))) {
      return false;
    }
    const inSchema = known.text("object_type") !== "database" && known.has("schema");
    return !inSchema || (await schemaOwner(session, known.text("schema"))) !== undefined;
  }, database);
}

/** The privileges of the first object that has others than those wanted; undefined if there is none. */
async function grantedInstead(session: Session, known: Attributes): Promise<string[] | undefined> {
  const objects = known.texts("objects");
  const granted = await grantedByObject(session, known);
  return granted
    .filter(({ name }) => objects.length === 0 || objects.includes(name))
    .map(({ privileges }) => privileges)
    .find((privileges) => !samePrivileges(privileges, known));
}

interface Granted {
  readonly name: string;
  readonly privileges: string[];
}

async function grantedByObject(session: Session, known: Attributes): Promise<Granted[]> {
  const role = await roleNumber(session, known.text("role"));
  const [catalog, parameters] = aclSource(known);
  const rows = await session.query(
    `SELECT o.name, ARRAY(
       SELECT DISTINCT a.privilege_type FROM pg_catalog.aclexplode(o.acl) a WHERE a.grantee OPERATOR(pg_catalog.=) $1::pg_catalog.oid ORDER BY 1
     ) AS privileges FROM (${catalog}) o ORDER BY o.name`,
    [role, ...parameters],
  );
  return rows as unknown as Granted[];
}

/** Where the access list of each object is: a query of `name` and `acl`, with its parameters from $2 on. */
function aclSource(known: Attributes): [sql: string, parameters: string[]] {
  const objectType = known.text("object_type");
  switch (objectType) {
    case "database":
      return [
        "SELECT datname::pg_catalog.text AS name, datacl AS acl FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) $2",
        [known.text("database")],
      ];
    case "schema":
      return [
        "SELECT nspname::pg_catalog.text AS name, nspacl AS acl FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $2",
        [known.text("schema")],
      ];
    case "function":
    case "procedure":
    case "routine":
      return [
        `SELECT p.proname::pg_catalog.text AS name, p.proacl AS acl FROM pg_catalog.pg_proc p
         WHERE p.pronamespace OPERATOR(pg_catalog.=) (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $2)`,
        [known.text("schema")],
      ];
    default:
      return [
        `SELECT c.relname::pg_catalog.text AS name, c.relacl AS acl FROM pg_catalog.pg_class c
         WHERE c.relnamespace OPERATOR(pg_catalog.=) (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $2) AND c.relkind OPERATOR(pg_catalog.=) $3`,
        [known.text("schema"), CATALOG_KIND[objectType] ?? ""],
      ];
  }
}

function idOf(attributes: Attributes): string {
  const schema = attributes.text("object_type") === "database" ? [] : [attributes.text("schema")];
  return [
    attributes.text("role"),
    attributes.text("database"),
    ...schema,
    attributes.text("object_type"),
    ...attributes.texts("objects"),
  ].join("_");
}
