import { Duration } from "../../lib";
import type { Environment } from "../environment";
import { StateBackend } from "../state-backend";
import { orders } from "./orders";

/** As production, with credentials that turn over within the hour, so that an application that cannot swap them shows. */
export const staging: Environment = {
  ...orders,
  name: "staging",
  vault: { address: "https://vault.staging.example.com:8200" },
  postgres: { host: "postgres.staging.example.com", sslMode: "verify-full" },
  roles: {
    ...orders.roles,
    writer: { ...orders.roles.writer, defaultTtl: Duration.minutes(10), maxTtl: Duration.hours(1) },
    reader: { ...orders.roles.reader, defaultTtl: Duration.minutes(10), maxTtl: Duration.hours(1) },
  },
  state: StateBackend.postgres({ schemaName: "orders_staging" }),
};
