import { TerraformOutput, type TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { PostgresEndpoint } from "../lib/vault/postgres-endpoint";
import { postgresRole } from "../lib/names";
import type { Environment } from "./environment";
import { vaultAddress } from "./server-address";

/**
 * Declares the providers of an environment's servers, in each of its stacks.
 *
 * @returns that of Vault
 * @throws ConfigurationError for an address or a login that is unusable
 */
export function addProviders(stack: TerraformStack, { vault, postgres }: Environment): VaultProvider {
  const provider = new VaultProvider(stack, "VaultProvider", {
    address: vaultAddress(vault.address),
    namespace: vault.namespace,
    caCertFile: vault.caCertFile,
    maxLeaseTtlSeconds: vault.deploymentTokenTtl?.toSeconds(),
  });
  new PostgresqlProvider(stack, "PostgresqlProvider", {
    host: postgres.host,
    port: postgres.port ?? 5432,
    username: postgresRole("login of Terraform", postgres.username ?? "terraform"),
    sslmode: postgres.sslMode ?? "verify-full",
    sslrootcert: postgres.caCertFile,
    // The provider's default is true, and then it reads pg_shadow, which only a superuser may.
    superuser: false,
  });
  return provider;
}

/** Where the secrets engine reaches the server of an environment. */
export function engineEndpoint({ postgres }: Environment): PostgresEndpoint {
  const { seenFromVault, host, port, sslMode, sslRootCert, connectTimeout } = postgres;
  return seenFromVault ?? { host, port, sslMode, sslRootCert, connectTimeout };
}

/** Declares an output of just this name. */
export function addOutput<T>(stack: TerraformStack, name: string, description: string, value: T): void {
  new TerraformOutput(stack, name, { description, value, staticId: true });
}
