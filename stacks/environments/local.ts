import type { Environment } from "../environment";
import { orders } from "./orders";

/**
 * Servers on this machine, such as those of `npm run sandbox`: found by the variables that their own clients read,
 * without TLS, and free to be destroyed.
 *
 * A variable that names another machine is not followed, so that a shell set up for production cannot turn `local` on it.
 *
 * @param variables the process's environment: `VAULT_ADDR`, `PGHOST`, `PGPORT`, `PGUSER`
 */
export function local(variables: Readonly<Record<string, string | undefined>> = {}): Environment {
  const { VAULT_ADDR: address = "", PGHOST: host = "", PGPORT: port, PGUSER: username } = variables;
  const followed = isLoopback(host);
  return {
    ...orders,
    name: "local",
    vault: {
      address:
        URL.canParse(address) && isLoopback(new URL(address).hostname) ? address : "http://127.0.0.1:8200",
    },
    postgres: {
      host: followed ? host : "127.0.0.1",
      port: followed && port !== undefined ? Number(port) : 5432,
      username: followed ? username : undefined,
      sslMode: "disable",
    },
    // The sandbox prepares it where the server is PostgreSQL 14.
    databaseTemplate: "template1",
    deletionProtection: false,
  };
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(host);
}
