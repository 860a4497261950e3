import type { Environment } from "../environment";
import { orders } from "./orders";

/** Shared by developers: encrypted, and free to be destroyed and made anew. */
export const dev: Environment = {
  ...orders,
  name: "dev",
  vault: { address: "https://vault.dev.example.com:8200" },
  postgres: { host: "postgres.dev.example.com", sslMode: "require" },
  // For examples/composition, which adds a role of its own.
  additionalAllowedRoles: ["reporting-*"],
  deletionProtection: false,
};
