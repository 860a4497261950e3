// postgresql_schema
import type { Attributes } from "../resource/attributes";
import type { ResourceType } from "../resource/type";
import { databaseExists, databaseOwner, schemaOwner } from "./catalog";
import { asMemberOf, lockCurrentUser } from "./membership";
import type { PostgresServer } from "./server";
import { identifier } from "./sql";

export const schema: ResourceType<PostgresServer> = {
  facts: {
    serves: ["id", "name", "database", "owner", "if_not_exists", "drop_cascade"],
    computed: ["database", "owner"],
    deprecated: ["policy"],
    forceNew: ["database"],
    defaults: { if_not_exists: true, drop_cascade: false },
    blocks: {
      policy: {
        serves: [],
        defaults: {
          create: false,
          create_with_grant: false,
          role: "",
          usage: false,
          usage_with_grant: false,
        },
      },
    },
  },
  importable: true,

  async create(server, wanted) {
    const database = databaseOf(server, wanted);
    const name = wanted.text("name");
    const owner = wanted.text("owner");
    await server.transaction(async (session) => {
      await lockCurrentUser(session);
      await asMemberOf(session, [await databaseOwner(session, database), owner], async () => {
        if ((await schemaOwner(session, name)) !== undefined) {
          if (owner === "") {
            throw new Error(`the schema ${name} exists already, and the configuration names no owner for it`);
          }
          await session.query(`ALTER SCHEMA ${identifier(name)} OWNER TO ${identifier(owner)}`);
          return;
        }
        const unless = wanted.flag("if_not_exists") ? "IF NOT EXISTS " : "";
        const authorization = owner === "" ? "" : ` AUTHORIZATION ${identifier(owner)}`;
        await session.query(`CREATE SCHEMA ${unless}${identifier(name)}${authorization}`);
      });
    }, database);
    return `${database}.${name}`;
  },

  async read(server, id, known) {
    const [database, name] = known.has("name") ? [databaseOf(server, known), known.text("name")] : parse(id);
    if (!(await server.session((session) => databaseExists(session, database)))) {
      return undefined;
    }
    const owner = await server.session((session) => schemaOwner(session, name), database);
    return owner === undefined
      ? undefined
      : { id: `${database}.${name}`, attributes: { name, owner, database } };
  },

  async update(server, _id, wanted) {
    const database = databaseOf(server, wanted);
    const name = wanted.text("name");
    const earlier = wanted.earlier();
    await server.transaction(async (session) => {
      // Not the owner that the state has, who may have another name by now.
      const owner = (await schemaOwner(session, earlier.text("name"))) ?? "";
      await asMemberOf(session, [owner, wanted.text("owner")], async () => {
        if (wanted.changed("name")) {
          await session.query(
            `ALTER SCHEMA ${identifier(earlier.text("name"))} RENAME TO ${identifier(name)}`,
          );
        }
        if (wanted.changed("owner") && wanted.has("owner")) {
          await session.query(
            `ALTER SCHEMA ${identifier(name)} OWNER TO ${identifier(wanted.text("owner"))}`,
          );
        }
      });
    }, database);
    return `${database}.${name}`;
  },

  async delete(server, _id, known) {
    const name = known.text("name");
    await server.transaction(
      async (session) => {
        if ((await schemaOwner(session, name)) === undefined) {
          return;
        }
        await asMemberOf(session, [known.text("owner")], () =>
          session.query(
            `DROP SCHEMA ${identifier(name)} ${known.flag("drop_cascade") ? "CASCADE" : "RESTRICT"}`,
          ),
        );
      },
      databaseOf(server, known),
    );
  },
};

function databaseOf(server: PostgresServer, attributes: Attributes): string {
  return attributes.text("database") || server.settings.database;
}

function parse(id: string): [database: string, name: string] {
  const [database, name, ...more] = id.split(".");
  if (!database || !name || more.length > 0) {
    throw new Error(`the id of a schema is "database.schema", not ${JSON.stringify(id)}`);
  }
  return [database, name];
}
