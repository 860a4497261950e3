import * as net from "node:net";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { describeError, UserError } from "./errors";
import { statusWords } from "./vault-answer";
import type { VaultClient } from "./vault-client";

const TIMEOUT_MS = 10_000;
const SAME_TIME_MS = 2_000;

/** @throws UserError if one of the servers cannot be talked to at all, so that no check could say anything of it */
export async function requireReachable(vault: VaultClient, outputs: EnvironmentOutputs): Promise<void> {
  await requireVault(vault);
  await requirePostgres(outputs);
}

/**
 * @returns by how many milliseconds Vault's clock is ahead of this machine's
 * @throws UserError if Vault does not answer, or is sealed
 */
export async function requireVault(vault: VaultClient): Promise<number> {
  const query = { standbyok: "true", perfstandbyok: "true" };
  // Without the token: where http leads to https, it is known by then, and the token does not go in the clear.
  const health = await vault
    .anonymous()
    .send({ method: "GET", path: "sys/health", query })
    .catch((error: unknown) => {
      if (error instanceof UserError) throw error;
      throw new UserError(
        `Vault does not answer: ${describeError(error)}`,
        "Set VAULT_ADDR to where it is seen from here, and VAULT_CACERT if its certificate is of your own authority.",
      );
    });
  const { initialized, sealed } = health.body;
  const problem = (words: string, remedy: string) =>
    new UserError(`Vault at ${vault.address} ${words}.`, remedy);
  if (initialized === false) throw problem("is not initialized", "Initialize and unseal it first.");
  if (sealed === true) throw problem("is sealed", "Unseal it first.");
  if (![200, 429, 473].includes(health.status) || initialized !== true || sealed !== false) {
    const usable = typeof initialized === "boolean" ? "cannot be used" : "does not answer as Vault does";
    throw problem(
      `${usable}: ${statusWords(health.status)} to sys/health`,
      "Set VAULT_ADDR to the address of a server of Vault or OpenBao that is unsealed and not in recovery.",
    );
  }
  const { server_time_utc: seconds } = health.body;
  const now = typeof seconds === "number" && seconds > 0 ? seconds * 1_000 : health.date;
  const difference = (now ?? Date.now()) - Date.now();
  // It tells whole seconds.
  return Math.abs(difference) < SAME_TIME_MS ? 0 : difference;
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
