import * as net from "node:net";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { describeError, UserError } from "./errors";
import type { VaultClient } from "./vault-client";

const TIMEOUT_MS = 10_000;

/** @throws UserError if one of the servers cannot be talked to at all, so that no check could say anything of it */
export async function requireReachable(vault: VaultClient, outputs: EnvironmentOutputs): Promise<void> {
  await requireVault(vault);
  await requirePostgres(outputs);
}

/** @throws UserError if Vault does not answer, or is sealed */
export async function requireVault(vault: VaultClient): Promise<void> {
  const health = await vault
    .send({ method: "GET", path: "sys/health?standbyok=true&perfstandbyok=true" })
    .catch((error: unknown) => {
      throw new UserError(
        `Vault does not answer: ${describeError(error)}`,
        "Set VAULT_ADDR to where it is seen from here, and VAULT_CACERT if its certificate is of your own authority.",
      );
    });
  if (health.status === 503 || health.status === 501) {
    throw new UserError(`Vault at ${vault.address} is sealed or not initialized.`, "Unseal it first.");
  }
}

async function requirePostgres({ postgres: { host, port } }: EnvironmentOutputs): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = net.connect({ host, port, timeout: TIMEOUT_MS });
    const end = (problem?: string) => {
      socket.destroy();
      if (problem === undefined) resolve();
      else {
        reject(
          new UserError(
            `PostgreSQL does not answer at ${host}:${port}: ${problem}`,
            "Run this where applications run: the outputs name the server as they see it.",
          ),
        );
      }
    };
    socket.once("connect", () => end());
    socket.once("timeout", () => end(`no answer within ${TIMEOUT_MS / 1000} s`));
    socket.once("error", (error) => end(describeError(error)));
  });
}
