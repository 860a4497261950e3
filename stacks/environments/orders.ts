import { Access, Duration } from "../../lib";
import type { Environment } from "../environment";

/**
 * The worked example: an application with migrations, an API and reports, which environments vary.
 *
 * - `owner` makes and changes tables; read by `migrations`, for the length of a migration.
 * - `writer` reads and changes rows; read by `api`.
 * - `reader` reads; read by `reports`.
 */
export const orders = {
  application: "orders",
  schemas: ["app"],
  roles: {
    owner: {
      access: Access.owner({ schemas: ["app"] }),
      defaultTtl: Duration.minutes(15),
      maxTtl: Duration.hours(1),
    },
    writer: {
      access: Access.readWrite({ schemas: ["app"] }),
      defaultTtl: Duration.hours(1),
      maxTtl: Duration.hours(24),
    },
    reader: {
      access: Access.readOnly({ schemas: ["app"] }),
      defaultTtl: Duration.hours(1),
      maxTtl: Duration.hours(24),
    },
  },
  applications: {
    migrations: {
      roles: ["owner"],
      secretIdTtl: Duration.hours(1),
      secretIdNumUses: 1,
      tokenTtl: Duration.minutes(30),
      tokenMaxTtl: Duration.hours(1),
    },
    api: {
      roles: ["writer"],
      tokenTtl: Duration.hours(1),
      tokenMaxTtl: Duration.hours(24),
    },
    reports: {
      roles: ["reader"],
      tokenTtl: Duration.hours(1),
      tokenMaxTtl: Duration.hours(24),
    },
  },
} satisfies Omit<Environment, "name" | "vault" | "postgres">;
