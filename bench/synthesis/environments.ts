import { Access } from "../../lib/postgres/access";
import type { Environment } from "../../stacks/environment";
import { namesOf } from "./names";

/** An environment with that many roles that read, and an application for each. */
export function environmentOf(name: string, roles: number): Environment {
  const names = namesOf(roles);
  const access = Access.readOnly({ schemas: ["app"] });
  return {
    application: "orders",
    name,
    vault: { address: "https://vault.example.com:8200" },
    postgres: { host: "db.example.com" },
    roles: Object.fromEntries(names.map((role) => [role, { access }])),
    applications: Object.fromEntries(names.map((role) => [`reads-${role}`, { roles: [role] }])),
  };
}
