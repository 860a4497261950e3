import { setTimeout as pause } from "node:timers/promises";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { UserError } from "./errors";
import { leaseIdsBelow, revokeBelow } from "./leases";
import { AnswerFields, type VaultClient } from "./vault-client";

/** Time for requests that were let in before the engine stopped issuing to end; they take milliseconds. */
const UNDER_WAY_MS = 500;
const ATTEMPTS = 20;

/**
 * What a destroy needs first: stops the engine from issuing credentials, then ends all that it has issued. Without it,
 * Terraform removes the connection with leases alive, after which neither engine can revoke them, and the mount is left
 * behind. A deployment lets the engine issue credentials again.
 *
 * @throws VaultError if Vault refuses, or cannot revoke a credential
 * @throws UserError if there are credentials left all the same
 */
export async function drain(outputs: EnvironmentOutputs, vault: VaultClient): Promise<void> {
  const { mount, connection } = outputs.vault;
  // What is not named in it stays as it is; the manager's password is not known here, nor needed.
  const path = `${mount}/config/${connection}`;
  await vault.done(path, { allowed_roles: [], verify_connection: false });
  await requireDrained(vault, path);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await revokeBelow(vault, outputs, `${mount}/creds`);
    await pause(UNDER_WAY_MS);
    if ((await leaseIdsBelow(vault, outputs, `${mount}/creds`)).length === 0) return;
  }
  throw new UserError(
    `${mount} still has credentials, though it issues none on the connection ${connection}.`,
    "Stop what issues them on another connection of the engine.",
  );
}

/**
 * Sees that the connection does serve no role any more: nothing else would tell before the next credential is issued. A
 * standby may learn of it a little later.
 */
async function requireDrained(vault: VaultClient, path: string): Promise<void> {
  let left: readonly string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await pause(UNDER_WAY_MS);
    const { data } = await vault.read(path);
    left = new AnswerFields(path, data).texts("allowed_roles");
    if (left.length === 0) return;
  }
  throw new UserError(
    `The connection ${path} goes on issuing for ${left.join(", ")}, though it was told to serve no role.`,
    "Does something else write it, a deployment, say? Then run this again when that has ended.",
  );
}
