// postgresql_default_privileges
import type { ObjectValue } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { AttributeError, ResourceType } from "../resource/type";
import { databaseExists, schemaOwner } from "./catalog";
import { asMemberOf, lockRole, roleExists } from "./membership";
import { CATALOG_KIND, privilegeErrors, roleNumber, samePrivileges } from "./privileges";
import type { PostgresServer } from "./server";
import { identifier } from "./sql";

const OBJECT_TYPES = ["table", "sequence", "function", "routine", "type", "schema"];

export const defaultPrivileges: ResourceType<PostgresServer> = {
  facts: {
    serves: ["id", "role", "database", "owner", "schema", "object_type", "privileges", "with_grant_option"],
    forceNew: ["role", "database", "owner", "schema", "object_type", "with_grant_option"],
    defaults: { with_grant_option: false },
  },
  importable: false,

  validate(config) {
    const errors: AttributeError[] = [...privilegeErrors(config, OBJECT_TYPES)];
    if (config.text("object_type") === "schema" && config.isWritten("schema")) {
      errors.push({ attribute: "schema", summary: `default privileges on schemas have no "schema"` });
    }
    if (config.flag("with_grant_option") && config.text("role").toLowerCase() === "public") {
      errors.push({ attribute: "with_grant_option", summary: `the role "public" cannot pass privileges on` });
    }
    return errors;
  },

  async create(server, wanted) {
    await change(server, wanted, true);
    return idOf(wanted);
  },

  async read(server, _id, known) {
    const granted = await grantedByDefault(server, known);
    if (granted === undefined || (granted.length === 0 && known.has("privileges"))) {
      return undefined;
    }
    const attributes: ObjectValue = samePrivileges(granted, known) ? {} : { privileges: granted };
    return { id: idOf(known), attributes };
  },

  async update(server, _id, wanted) {
    await change(server, wanted, true);
    return idOf(wanted);
  },

  async delete(server, _id, known) {
    await change(server, known, false);
  },
};

async function change(server: PostgresServer, attributes: Attributes, grants: boolean): Promise<void> {
  const owner = attributes.text("owner");
  const schema = attributes.text("schema");
  const kind = `${attributes.text("object_type").toUpperCase()}S`;
  const grantee = identifier(attributes.text("role"));
  const alter = [
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(owner)}`,
    ...(schema === "" ? [] : [`IN SCHEMA ${identifier(schema)}`]),
  ].join(" ");
  await server.transaction(async (session) => {
    await lockRole(session, owner);
    await asMemberOf(session, [owner], async () => {
      await session.query(`${alter} REVOKE ALL ON ${kind} FROM ${grantee}`);
      if (grants && attributes.has("privileges")) {
        const option = attributes.flag("with_grant_option") ? " WITH GRANT OPTION" : "";
        const privileges = attributes.texts("privileges").join(", ");
        await session.query(`${alter} GRANT ${privileges} ON ${kind} TO ${grantee}${option}`);
      }
    });
  }, attributes.text("database"));
}

/** Undefined where the database, the role or the schema is gone. */
async function grantedByDefault(server: PostgresServer, known: Attributes): Promise<string[] | undefined> {
  const database = known.text("database");
  if (!(await server.session((session) => databaseExists(session, database)))) {
    return undefined;
  }
  return server.session(async (session) => {
    const role = known.text("role");
    const schema = known.text("schema");
    if (role !== "public" && !(await roleExists(session, role))) {
      return undefined;
    }
    if (schema !== "" && (await schemaOwner(session, schema)) === undefined) {
      return undefined;
    }
    const rows = await session.query(
      `SELECT DISTINCT a.privilege_type AS privilege
       FROM pg_catalog.pg_default_acl d CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
       WHERE d.defaclobjtype OPERATOR(pg_catalog.=) $2 AND a.grantee OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND pg_catalog.pg_get_userbyid(a.grantor) OPERATOR(pg_catalog.=) $3
         AND d.defaclnamespace OPERATOR(pg_catalog.=) COALESCE((SELECT oid FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $4), 0)`,
      [await roleNumber(session, role), CATALOG_KIND[known.text("object_type")], known.text("owner"), schema],
    );
    return rows.map((row) => String(row.privilege));
  }, database);
}

function idOf(attributes: Attributes): string {
  return [
    attributes.text("role"),
    attributes.text("database"),
    attributes.text("schema") || "noschema",
    attributes.text("owner"),
    attributes.text("object_type"),
  ].join("_");
}
