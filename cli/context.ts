import * as fs from "node:fs";
import { UserError } from "./errors";
import { RateLimit } from "./rate-limit";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { VaultClient } from "./vault-client";

/** How to reach a deployed environment, beyond what it says of itself. */
export interface ProofContext {
  /** Token that may issue SecretIDs; see docs/rights/verify-policy.hcl. */
  readonly vaultToken: string;
  /** @default - the address in the outputs */
  readonly vaultAddress?: string;
  /** @default - the namespace in the outputs */
  readonly vaultNamespace?: string;
  /** PEM of the certificate authority of Vault's listener. */
  readonly vaultCaCertificate?: string;
  /** PEM file of the certificate authority of PostgreSQL's certificate. */
  readonly postgresRootCertificateFile?: string;
  /** How long the engine may take to carry a revocation out, in milliseconds. @default 15000 */
  readonly revocationTimeoutMs?: number;
  /** Says what is waited for, such as on standard error. */
  readonly note?: (text: string) => void;
}

/**
 * How to reach the servers, as the user's shell says. Each variable of Vault's has one of OpenBao's that comes before it,
 * as it does for OpenBao's own client.
 *
 * @param rights file with the policy that the token needs, for the message
 * @throws UserError without a token, or if the file of the certificate authority cannot be read
 */
export function contextFrom(env: NodeJS.ProcessEnv, rights: string): ProofContext {
  const vaultToken = variable(env, "TOKEN")?.value;
  if (vaultToken === undefined) {
    throw new UserError("VAULT_TOKEN is not set.", `Set it to a token with the rights of ${rights}.`);
  }
  return {
    vaultToken,
    vaultAddress: variable(env, "ADDR")?.value,
    vaultNamespace: variable(env, "NAMESPACE")?.value,
    vaultCaCertificate: readCertificate(variable(env, "CACERT")),
    postgresRootCertificateFile: setting(env.PGSSLROOTCERT),
  };
}

/** The environment as Terraform's provider sees it, which knows Vault's variables alone. */
export function withoutOpenBaoVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("BAO_")));
}

/** Vault as the operator sees it: where the user's shell says, else where the outputs do. */
export function operatorClient(outputs: EnvironmentOutputs, context: ProofContext): VaultClient {
  return new VaultClient({
    address: context.vaultAddress ?? outputs.vault.address,
    namespace: context.vaultNamespace ?? outputs.vault.namespace,
    token: context.vaultToken,
    caCertificate: context.vaultCaCertificate,
    rateLimit: new RateLimit(context.note),
  });
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

function variable(env: NodeJS.ProcessEnv, suffix: string): Variable | undefined {
  for (const name of [`BAO_${suffix}`, `VAULT_${suffix}`]) {
    const value = setting(env[name]);
    if (value !== undefined) return { name, value };
  }
  return undefined;
}

/** A variable that is set to nothing is not set. */
export function setting(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function readCertificate(file: Variable | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return fs.readFileSync(file.value, "utf8");
  } catch (error) {
    throw new UserError(
      `${file.name} names ${file.value}, which cannot be read: ${(error as Error).message}`,
      "Set it to the PEM file of the certificate authority, or unset it to use the system's.",
    );
  }
}
