import * as fs from "node:fs";
import { UserError } from "./errors";
import type { EnvironmentOutputs } from "../stacks/outputs";
import type { ProofContext } from "./proof";
import { VaultClient } from "./vault-client";

/**
 * How to reach the servers, as the user's shell says.
 *
 * @param rights file with the policy that the token needs, for the message
 * @throws UserError without a token, or if VAULT_CACERT cannot be read
 */
export function contextFrom(env: NodeJS.ProcessEnv, rights: string): ProofContext {
  const vaultToken = env.VAULT_TOKEN ?? "";
  if (vaultToken === "") {
    throw new UserError("VAULT_TOKEN is not set.", `Set it to a token with the rights of ${rights}.`);
  }
  return {
    vaultToken,
    vaultAddress: setting(env.VAULT_ADDR),
    vaultNamespace: setting(env.VAULT_NAMESPACE),
    vaultCaCertificate: readCertificate(env.VAULT_CACERT),
    postgresRootCertificateFile: setting(env.PGSSLROOTCERT),
  };
}

/** Vault as the operator sees it: where the user's shell says, else where the outputs do. */
export function operatorClient(outputs: EnvironmentOutputs, context: ProofContext): VaultClient {
  return new VaultClient({
    address: context.vaultAddress ?? outputs.vault.address,
    namespace: context.vaultNamespace ?? outputs.vault.namespace,
    token: context.vaultToken,
    caCertificate: context.vaultCaCertificate,
  });
}

/** A variable that is set to nothing is not set. */
function setting(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function readCertificate(file: string | undefined): string | undefined {
  if (file === undefined || file === "") return undefined;
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(
      `VAULT_CACERT names ${file}, which cannot be read: ${(error as Error).message}`,
      "Set it to the PEM file of the certificate authority, or unset it to use the system's.",
    );
  }
}
