// postgresql_grant_role
import type { Attributes } from "../resource/attributes";
import type { ResourceType } from "../resource/type";
import type { PostgresServer } from "./server";
import { identifier } from "./sql";

export const grantRole: ResourceType<PostgresServer> = {
  facts: {
    serves: ["id", "role", "grant_role", "with_admin_option"],
    forceNew: ["role", "grant_role", "with_admin_option"],
    defaults: { with_admin_option: false },
  },
  importable: false,

  async create(server, wanted) {
    const [granted, member] = names(wanted);
    const option = wanted.flag("with_admin_option") ? " WITH ADMIN OPTION" : "";
    await server.transaction(async (session) => {
      await session.query(`REVOKE ${granted} FROM ${member}`);
      await session.query(`GRANT ${granted} TO ${member}${option}`);
    });
    return idOf(wanted, wanted.flag("with_admin_option"));
  },

  async read(server, _id, known) {
    const rows = await server.session((session) =>
      session.query(
        `SELECT admin_option FROM pg_catalog.pg_auth_members
         WHERE pg_catalog.pg_get_userbyid(member) OPERATOR(pg_catalog.=) $1 AND pg_catalog.pg_get_userbyid(roleid) OPERATOR(pg_catalog.=) $2`,
        [known.text("role"), known.text("grant_role")],
      ),
    );
    const admin = rows[0]?.admin_option;
    return typeof admin !== "boolean"
      ? undefined
      : { id: idOf(known, admin), attributes: { with_admin_option: admin } };
  },

  async delete(server, _id, known) {
    const [granted, member] = names(known);
    await server.transaction((session) => session.query(`REVOKE ${granted} FROM ${member}`));
  },
};

function names(attributes: Attributes): [granted: string, member: string] {
  return [identifier(attributes.text("grant_role")), identifier(attributes.text("role"))];
}

function idOf(attributes: Attributes, admin: boolean): string {
  return `${attributes.text("role")}_${attributes.text("grant_role")}_${admin}`;
}
