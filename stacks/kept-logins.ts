import { Role } from "@cdktf/provider-postgresql/lib/role";
import { Construct } from "constructs";
import { Forgotten } from "../lib/forgotten";
import type { IPostgresDatabase } from "../lib/postgres/database";
import type { StaticRoleOptions } from "../lib/vault/static-role";

/**
 * Lets go of the login that the stack has made for a static role, where a static role names it by `username` now: Terraform takes it
 * out of its state, and leaves it in PostgreSQL. It would drop it otherwise, and shut out whoever logs in with it.
 */
export function keepLogins(
  database: IPostgresDatabase,
  staticRoles: Readonly<Record<string, Pick<StaticRoleOptions, "username">>>,
): void {
  const start = `${database.name}_`;
  for (const { username } of Object.values(staticRoles)) {
    if (username?.startsWith(start) !== true) continue;
    const id = username.slice(start.length);
    if (id === "" || database.node.children.some(({ node }) => node.id === id)) continue;
    new Forgotten(new Construct(database, id), "Resource", Role.tfResourceType);
  }
}
