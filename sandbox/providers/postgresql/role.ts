// postgresql_role
import type { Attributes } from "../resource/attributes";
import { type AttributeError, type ResourceType } from "../resource/type";
import { asMemberOf, lockRole } from "./membership";
import { readPassword } from "./role-password";
import { setting, writeSettings } from "./role-settings";
import type { PostgresServer, Session } from "./server";
import { identifier, literal } from "./sql";

/** Attributes that are options of CREATE and ALTER ROLE, with their SQL. */
const FLAGS: Readonly<Record<string, string>> = {
  superuser: "SUPERUSER",
  create_database: "CREATEDB",
  create_role: "CREATEROLE",
  inherit: "INHERIT",
  login: "LOGIN",
  bypass_row_level_security: "BYPASSRLS",
  replication: "REPLICATION",
};

export const role: ResourceType<PostgresServer> = {
  facts: {
    serves: [
      "id",
      "name",
      "password",
      "password_wo",
      "password_wo_version",
      "roles",
      "search_path",
      "encrypted_password",
      "valid_until",
      "connection_limit",
      "idle_in_transaction_session_timeout",
      "statement_timeout",
      "skip_drop_role",
      "skip_reassign_owned",
      "assume_role",
      ...Object.keys(FLAGS),
    ],
    sensitive: ["password", "password_wo"],
    writeOnly: ["password_wo"],
    deprecated: ["encrypted"],
    defaults: {
      encrypted_password: true,
      valid_until: "infinity",
      connection_limit: -1,
      superuser: false,
      create_database: false,
      create_role: false,
      inherit: true,
      login: false,
      replication: false,
      bypass_row_level_security: false,
      skip_drop_role: false,
      skip_reassign_owned: false,
    },
  },
  importable: true,

  validate(config) {
    const errors: AttributeError[] = [];
    for (const other of ["password_wo", "password_wo_version"]) {
      if (config.isWritten("password") && config.isWritten(other)) {
        errors.push({ attribute: "password", summary: `"password" and "${other}" cannot both be set` });
      }
    }
    if (config.isWritten("password_wo") !== config.isWritten("password_wo_version")) {
      errors.push({
        attribute: "password_wo",
        summary: `"password_wo" and "password_wo_version" are set together, or neither`,
      });
    }
    return errors;
  },

  async create(server, wanted) {
    const name = wanted.text("name");
    const password = wanted.text("password") || wanted.writeOnly("password_wo");
    const options = [
      ...(password === undefined ? [] : [passwordOption(password, wanted.flag("encrypted_password"))]),
      `VALID UNTIL ${validUntil(wanted)}`,
      `CONNECTION LIMIT ${wanted.number("connection_limit")}`,
      ...Object.entries(FLAGS).map(([attribute, option]) => flag(wanted.flag(attribute), option)),
    ];
    await server.transaction(async (session) => {
      await session.query(`CREATE ROLE ${identifier(name)} WITH ${options.join(" ")}`);
      await grantRoles(session, name, wanted);
      await writeSettings(session, name, wanted);
    });
    return name;
  },

  async read(server, id, known) {
    const rows = await server.session((session) =>
      session.query(
        `SELECT r.*, COALESCE(r.rolvaliduntil::pg_catalog.text, 'infinity') AS valid_until, ARRAY(
           SELECT pg_catalog.pg_get_userbyid(m.roleid)::pg_catalog.text FROM pg_catalog.pg_auth_members m WHERE m.member OPERATOR(pg_catalog.=) r.oid
         ) AS member_of FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) $1`,
        [id],
      ),
    );
    const row = rows[0] as RoleRow | undefined;
    if (row === undefined) {
      return undefined;
    }
    const config = row.rolconfig ?? [];
    return {
      attributes: {
        name: row.rolname,
        connection_limit: row.rolconnlimit,
        create_database: row.rolcreatedb,
        create_role: row.rolcreaterole,
        encrypted_password: true,
        inherit: row.rolinherit,
        login: row.rolcanlogin,
        skip_drop_role: known.flag("skip_drop_role"),
        skip_reassign_owned: known.flag("skip_reassign_owned"),
        superuser: row.rolsuper,
        valid_until: row.valid_until,
        replication: row.rolreplication,
        bypass_row_level_security: row.rolbypassrls,
        roles: [...new Set(row.member_of)],
        search_path: (setting(config, "search_path")?.split(", ") ?? []).map((schema) =>
          schema.replace(/^"|"$/g, ""),
        ),
        assume_role: setting(config, "role") ?? "",
        statement_timeout: Number(setting(config, "statement_timeout") ?? 0),
        idle_in_transaction_session_timeout: Number(
          setting(config, "idle_in_transaction_session_timeout") ?? 0,
        ),
        ...(known.has("password")
          ? { password: await readPassword(server, id, known, row.rolcanlogin) }
          : {}),
      },
    };
  },

  async update(server, id, wanted) {
    const name = wanted.text("name");
    await server.transaction(async (session) => {
      await lockRole(session, id);
      if (wanted.changed("name")) {
        await session.query(`ALTER ROLE ${identifier(id)} RENAME TO ${identifier(name)}`);
      }
      const alter = (option: string) => session.query(`ALTER ROLE ${identifier(name)} ${option}`);
      const password = changedPassword(wanted);
      if (password !== undefined) {
        await alter(`PASSWORD ${literal(password)}`);
      }
      for (const [attribute, option] of Object.entries(FLAGS)) {
        if (wanted.changed(attribute)) {
          await alter(flag(wanted.flag(attribute), option));
        }
      }
      if (wanted.changed("connection_limit")) {
        await alter(`CONNECTION LIMIT ${wanted.number("connection_limit")}`);
      }
      if (wanted.changed("valid_until") && wanted.has("valid_until")) {
        await alter(`VALID UNTIL ${validUntil(wanted)}`);
      }
      await revokeRoles(session, name);
      await grantRoles(session, name, wanted);
      await writeSettings(session, name, wanted);
    });
    return name;
  },

  async delete(server, id, known) {
    await server.transaction(async (session) => {
      await lockRole(session, id);
      if (!known.flag("skip_reassign_owned")) {
        await asMemberOf(session, [id], async () => {
          await session.query(
            `REASSIGN OWNED BY ${identifier(id)} TO ${identifier(server.settings.username)}`,
          );
          await session.query(`DROP OWNED BY ${identifier(id)}`);
        });
      }
      if (!known.flag("skip_drop_role")) {
        await session.query(`DROP ROLE ${identifier(id)}`);
      }
    });
  },
};

interface RoleRow {
  readonly rolname: string;
  readonly rolconnlimit: number;
  readonly rolcreatedb: boolean;
  readonly rolcreaterole: boolean;
  readonly rolinherit: boolean;
  readonly rolcanlogin: boolean;
  readonly rolsuper: boolean;
  readonly rolreplication: boolean;
  readonly rolbypassrls: boolean;
  readonly rolconfig: readonly string[] | null;
  readonly valid_until: string;
  readonly member_of: readonly string[];
}

function flag(on: boolean, option: string): string {
  return on ? option : `NO${option}`;
}

function passwordOption(password: string, encrypted: boolean): string {
  return password.toUpperCase() === "NULL"
    ? "PASSWORD NULL"
    : `${encrypted ? "ENCRYPTED" : "UNENCRYPTED"} PASSWORD ${literal(password)}`;
}

function validUntil(wanted: Attributes): string {
  const until = wanted.text("valid_until");
  return until === "" || until.toLowerCase() === "infinity" ? "'infinity'" : literal(until);
}

/** A write-only password is sent when its version changes, one kept in the state when it or the name changes. */
function changedPassword(wanted: Attributes): string | undefined {
  const writeOnly = wanted.writeOnly("password_wo");
  if (writeOnly !== undefined) {
    return wanted.changed("password_wo_version") ? writeOnly : undefined;
  }
  return wanted.changed("password", "name") && wanted.has("password") ? wanted.text("password") : undefined;
}

async function grantRoles(session: Session, name: string, wanted: Attributes): Promise<void> {
  for (const each of wanted.texts("roles")) {
    await session.query(`GRANT ${identifier(each)} TO ${identifier(name)}`);
  }
}

async function revokeRoles(session: Session, name: string): Promise<void> {
  const rows = await session.query(
    "SELECT pg_catalog.pg_get_userbyid(roleid) AS role FROM pg_catalog.pg_auth_members WHERE pg_catalog.pg_get_userbyid(member) OPERATOR(pg_catalog.=) $1",
    [name],
  );
  for (const row of rows) {
    await session.query(`REVOKE ${identifier(String(row.role))} FROM ${identifier(name)}`);
  }
}
