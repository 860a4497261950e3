// postgresql_database
import type { Attributes } from "../resource/attributes";
import type { ResourceType } from "../resource/type";
import { join, leave, lockRole } from "./membership";
import type { PostgresServer, Session } from "./server";
import { identifier, literal } from "./sql";

export const database: ResourceType<PostgresServer> = {
  facts: {
    serves: [
      "id",
      "name",
      "owner",
      "template",
      "encoding",
      "lc_collate",
      "lc_ctype",
      "tablespace_name",
      "connection_limit",
      "allow_connections",
      "is_template",
    ],
    computed: ["owner", "template", "encoding", "lc_collate", "lc_ctype", "tablespace_name", "is_template"],
    forceNew: ["template", "encoding", "lc_collate", "lc_ctype"],
    defaults: { connection_limit: -1, allow_connections: true, alter_object_ownership: false },
  },
  importable: true,

  async create(server, wanted) {
    const name = wanted.text("name");
    const owner = wanted.text("owner");
    const choice = (clause: string, attribute: string, quote: (text: string) => string, absent = "") => {
      const value = wanted.text(attribute);
      return value === ""
        ? absent
        : `${clause} ${value.toUpperCase() === "DEFAULT" ? "DEFAULT" : quote(value)}`;
    };
    await actingFor(server, owner, (session) =>
      session.query(
        [
          `CREATE DATABASE ${identifier(name)} OWNER ${identifier(owner || server.settings.username)}`,
          choice("TEMPLATE", "template", identifier, "TEMPLATE template0"),
          choice("ENCODING", "encoding", literal, "ENCODING 'UTF8'"),
          choice("LC_COLLATE", "lc_collate", literal),
          choice("LC_CTYPE", "lc_ctype", literal),
          choice("TABLESPACE", "tablespace_name", identifier),
          `ALLOW_CONNECTIONS ${wanted.flag("allow_connections")}`,
          `CONNECTION LIMIT ${wanted.number("connection_limit")}`,
          `IS_TEMPLATE ${wanted.flag("is_template")}`,
        ].join(" "),
      ),
    );
    return name;
  },

  async read(server, id, known) {
    const rows = await server.session((session) =>
      session.query(
        `SELECT d.datname AS name, pg_catalog.pg_get_userbyid(d.datdba)::pg_catalog.text AS owner,
           pg_catalog.pg_encoding_to_char(d.encoding)::pg_catalog.text AS encoding, d.datcollate AS lc_collate, d.datctype AS lc_ctype,
           t.spcname AS tablespace_name, d.datconnlimit AS connection_limit,
           d.datallowconn AS allow_connections, d.datistemplate AS is_template
         FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid OPERATOR(pg_catalog.=) d.dattablespace
         WHERE d.datname OPERATOR(pg_catalog.=) $1`,
        [id],
      ),
    );
    const row = rows[0] as Record<string, string | number | boolean> | undefined;
    return row && { attributes: { ...row, template: known.text("template") || "template0" } };
  },

  async update(server, id, wanted) {
    const name = wanted.text("name");
    await actingFor(server, wanted.changed("owner") ? wanted.text("owner") : "", async (session) => {
      if (wanted.changed("name")) {
        await session.query(`ALTER DATABASE ${identifier(id)} RENAME TO ${identifier(name)}`);
      }
      const alter = (change: string) => session.query(`ALTER DATABASE ${identifier(name)} ${change}`);
      if (wanted.changed("owner") && wanted.has("owner")) {
        await alter(`OWNER TO ${identifier(wanted.text("owner"))}`);
      }
      if (wanted.changed("tablespace_name")) {
        const tablespace = wanted.text("tablespace_name");
        await alter(
          tablespace === "" || tablespace.toUpperCase() === "DEFAULT"
            ? "RESET TABLESPACE"
            : `SET TABLESPACE ${identifier(tablespace)}`,
        );
      }
      if (wanted.changed("connection_limit")) {
        await alter(`CONNECTION LIMIT = ${wanted.number("connection_limit")}`);
      }
      if (wanted.changed("allow_connections")) {
        await alter(`ALLOW_CONNECTIONS ${wanted.flag("allow_connections")}`);
      }
      if (wanted.changed("is_template")) {
        await alter(`IS_TEMPLATE ${wanted.flag("is_template")}`);
      }
    });
    return name;
  },

  async delete(server, id, known: Attributes) {
    await actingFor(server, known.text("owner"), async (session) => {
      if (known.flag("is_template")) {
        await session.query(`ALTER DATABASE ${identifier(id)} IS_TEMPLATE false`);
      }
      await session.query(`ALTER DATABASE ${identifier(id)} ALLOW_CONNECTIONS false`);
      await session.query(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname OPERATOR(pg_catalog.=) $1 AND pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()",
        [id],
      );
      await session.query(`DROP DATABASE ${identifier(id)} WITH (FORCE)`);
    });
  },
};

/**
 * Databases are made and dropped outside of transactions, so the membership in the owner that a login without
 * superuser needs is taken before and given back after; a lock keeps others from doing the same meanwhile.
 */
async function actingFor(
  server: PostgresServer,
  owner: string,
  work: (session: Session) => Promise<unknown>,
): Promise<void> {
  if (owner === "") {
    await server.session(work);
    return;
  }
  const { username } = server.settings;
  await server.transaction(async (lock) => {
    await lockRole(lock, username);
    await server.session(async (session) => {
      const joined = await join(session, owner, username);
      try {
        await work(session);
      } finally {
        if (joined) {
          await leave(session, owner, username);
        }
      }
    });
  });
}
