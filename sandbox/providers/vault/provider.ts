// The provider hashicorp/vault, as far as the sandbox needs it.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ProviderType } from "../resource/type";
import { approleRole } from "./approle-role";
import { audit } from "./audit";
import { authBackend } from "./auth-backend";
import { databaseConnection } from "./database-connection";
import { databaseRole } from "./database-role";
import { databaseStaticRole } from "./database-static-role";
import { genericEndpoint } from "./generic-endpoint";
import { kvSecret } from "./kv-secret";
import { mount } from "./mount";
import { currentNamespace } from "./namespace";
import { policy } from "./policy";
import { trimSlashes } from "./paths";
import { quotaRateLimit } from "./quota-rate-limit";
import { VaultServer } from "./server";

export const vaultProvider: ProviderType<VaultServer> = {
  name: "vault",
  facts: {
    serves: [
      "address",
      "token",
      "namespace",
      "ca_cert_file",
      "skip_child_token",
      "max_lease_ttl_seconds",
      "token_name",
    ],
    blocks: {
      auth_login: { serves: [], sensitive: ["parameters"] },
      headers: { serves: [], sensitive: ["name", "value"] },
    },
  },
  resources: {
    vault_approle_auth_backend_role: approleRole,
    vault_audit: audit,
    vault_auth_backend: authBackend,
    vault_database_secret_backend_connection: databaseConnection,
    vault_database_secret_backend_role: databaseRole,
    vault_database_secret_backend_static_role: databaseStaticRole,
    vault_generic_endpoint: genericEndpoint,
    vault_kv_secret_v2: kvSecret,
    vault_mount: mount,
    vault_policy: policy,
    vault_quota_rate_limit: quotaRateLimit,
  },
  dataSources: { vault_namespace: currentNamespace },

  configure(config, environment) {
    const text = (name: string, variable: string) =>
      [config.text(name), environment[variable]].find((each) => each) ?? "";
    const address = text("address", "VAULT_ADDR");
    if (!/^https?:\/\//.test(address)) {
      throw new Error(`the vault provider's address is no http or https URL: ${JSON.stringify(address)}`);
    }
    const token = text("token", "VAULT_TOKEN") || storedToken();
    if (token === "") {
      throw new Error("the vault provider has no token: set `token`, or VAULT_TOKEN");
    }
    return Promise.resolve(
      new VaultServer({
        address,
        token,
        namespace: trimSlashes(text("namespace", "VAULT_NAMESPACE")),
        caCertFile: text("ca_cert_file", "VAULT_CACERT"),
        skipChildToken: config.isSet("skip_child_token")
          ? config.flag("skip_child_token")
          : ["1", "t", "true"].includes((environment.TERRAFORM_VAULT_SKIP_CHILD_TOKEN ?? "").toLowerCase()),
        maxLeaseTtlSeconds:
          config.number("max_lease_ttl_seconds") || Number(environment.TERRAFORM_VAULT_MAX_TTL ?? "") || 1200,
        tokenName: text("token_name", "VAULT_TOKEN_NAME") || "terraform",
      }),
    );
  },

  close: (server) => server.close(),
};

/** Where `vault login` and `bao login` leave it. */
function storedToken(): string {
  try {
    return readFileSync(join(homedir(), ".vault-token"), "utf8").trim();
  } catch {
    return "";
  }
}
