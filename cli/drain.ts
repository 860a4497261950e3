import { setTimeout as pause } from "node:timers/promises";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { engineRoles, namesBelow } from "./engine-roles";
import { UserError } from "./errors";
import { causeLines, failedRemedy } from "./failed-revocations";
import { UNTOLD, type Change } from "./first-change";
import { leaseIdsBelow, leasesPath } from "./leases";
import type { Progress } from "./progress";
import { revokeBelow, revokeEach, revokeWithin, type FailedRevocation } from "./revoke-leases";
import { servedBy } from "./serves";
import { counted, listed } from "./text";
import { AnswerFields, type VaultClient } from "./vault-client";

/** Time for requests that were let in before the engine stopped issuing to end; they take milliseconds. */
const UNDER_WAY_MS = 500;
const ATTEMPTS = 20;
/** How long credentials are revoked before the engine is stopped. */
const FIRST_MS = 2_000;

/**
 * What a destroy needs first: stops the engine from issuing credentials, then ends all that it has issued. Without it,
 * Terraform removes the connection with leases alive, after which neither engine can revoke them, and the mount is left
 * behind. A deployment lets the engine issue credentials again.
 *
 * @throws VaultError if Vault refuses
 * @throws UserError if a credential cannot be revoked, once all others are, or if there are credentials left all the same
 */
export async function drain(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  change: Change = UNTOLD,
  progress?: Progress,
): Promise<void> {
  const { mount, connection } = outputs.vault;
  const path = `${mount}/config/${connection}`;
  // One that is not there, or may not be read, is told before anything ends.
  await rolesOf(vault, path);
  const isEmpty = await revokeAround(vault, outputs, `${mount}/creds`, { change, progress }, () =>
    // What is not named in it stays as it is; the manager's password is not known here, nor needed.
    allowRoles(vault, path, [], change),
  );
  const others = await otherConnections(vault, outputs);
  if (isEmpty && others.length === 0) return;
  throw new UserError(
    isEmpty
      ? `${mount} has no credentials left, and issues new ones on ${listed(others)}.`
      : `${mount} still has credentials, though it issues none on the connection ${connection}.`,
    "Stop what issues them on another connection of the engine: allow it no roles, or destroy the stack that declares it.",
  );
}

/** Other connections of the engine that issue credentials of a role. */
async function otherConnections(vault: VaultClient, { vault: own }: EnvironmentOutputs): Promise<string[]> {
  const roles = [
    ...(await engineRoles(vault, own.mount, (await namesBelow(vault, `${own.mount}/roles`)) ?? [])).values(),
  ].filter(({ connection }) => connection !== own.connection);
  const found: string[] = [];
  for (const name of new Set(roles.map(({ connection }) => connection))) {
    const allowed = await rolesOf(vault, `${own.mount}/config/${name}`);
    const isServed = roles.some((role) => role.connection === name && servedBy(allowed, role.name));
    if (isServed) found.push(`the connection ${name}`);
  }
  return found;
}

/**
 * The same for one role, before it is renamed or removed: stops the engine from issuing credentials of it, and ends those
 * that it has issued. Other roles go on.
 *
 * @throws VaultError if Vault refuses
 * @throws UserError if the connection issues for it by a pattern, if a credential cannot be revoked, once all others are, or if
 *   there are credentials left all the same
 */
export async function drainRole(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  role: string,
  change: Change = UNTOLD,
  progress?: Progress,
): Promise<void> {
  const { mount } = outputs.vault;
  // That of another stack's role may be another.
  const there = (await engineRoles(vault, mount, [role])).get(role);
  const connection = there?.connection ?? outputs.vault.connection;
  const path = `${mount}/config/${connection}`;
  const allowed = await rolesOf(vault, path);
  const others = allowed.filter((name) => name !== role);
  const pattern = servedBy(others, role);
  if (pattern !== undefined) {
    throw new UserError(
      `The connection ${connection} of ${mount} issues for ${role} by the pattern "${pattern}" of its allowed_roles, so that ` +
        `${role} alone cannot be taken out.`,
      "Name the roles in its allowed_roles instead (additionalAllowedRoles) and deploy; or take the right to read it from its " +
        "applications, deploy, and end its credentials with vault-postgres revoke --role.",
    );
  }
  const stop = () =>
    others.length < allowed.length ? allowRoles(vault, path, others, change) : Promise.resolve();
  if (await revokeAround(vault, outputs, leasesPath(outputs, role), { change, progress }, stop)) return;
  throw new UserError(
    `${role} of ${mount} still has credentials, though the connection ${connection} issues none of it.`,
    "Stop what issues them on another connection of the engine.",
  );
}

/**
 * Has the engine issue no more, and revokes the credentials below a path. Some go first: the engine closes its connection when
 * its configuration is written, and where PostgreSQL lets nobody in, that is the only one by which it may still end whoever is
 * in the way. No more than there is time for, since applications obtain others all the while.
 *
 * @param stop has the engine issue no more
 * @returns whether no credential is left; requests that were under way may bring more
 * @throws UserError if there is none but those that cannot be revoked
 */
async function revokeAround(
  vault: VaultClient,
  outputs: EnvironmentOutputs,
  path: string,
  { change, progress }: { readonly change: Change; readonly progress?: Progress },
  stop: () => Promise<void>,
): Promise<boolean> {
  await revokeWithin(vault, await leaseIdsBelow(vault, outputs, path), FIRST_MS, change);
  await stop();
  const failed = new Map<string, FailedRevocation>();
  const keep = (found: readonly FailedRevocation[]) => found.forEach((one) => failed.set(one.lease, one));
  keep(await revokeBelow(vault, outputs, path, change, progress));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await pause(UNDER_WAY_MS);
    const left = await leaseIdsBelow(vault, outputs, path);
    if (left.length === 0) return true;
    const others = left.filter((id) => !failed.has(id));
    if (others.length === 0) throw notRevoked(left.map((id) => failed.get(id)!));
    keep(
      failed.size === 0
        ? await revokeBelow(vault, outputs, path, change, progress)
        : await revokeEach(vault, others, change, progress),
    );
  }
  return false;
}

function notRevoked(failed: readonly FailedRevocation[]): UserError {
  const lines = [`${counted(failed.length, "credential")} could not be revoked:`, ...causeLines(failed)];
  // It issues none any more by now.
  return new UserError(lines.join("\n"), failedRemedy(failed), { drained: true, failed });
}

/**
 * Has the connection serve just these roles, and sees that it does: nothing else would tell before the next credential is
 * issued. A standby may learn of it a little later.
 */
async function allowRoles(
  vault: VaultClient,
  path: string,
  roles: readonly string[],
  change: Change,
): Promise<void> {
  await change(() => vault.done(path, { allowed_roles: roles, verify_connection: false }));
  let others: readonly string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await pause(UNDER_WAY_MS);
    others = (await rolesOf(vault, path)).filter((name) => !roles.includes(name));
    if (others.length === 0) return;
  }
  throw new UserError(
    `The connection ${path} goes on issuing for ${others.join(", ")}, though it was told not to.`,
    "Does something else write it, a deployment, say? Then run this again when that has ended.",
  );
}

async function rolesOf(vault: VaultClient, path: string): Promise<readonly string[]> {
  const { data } = await vault.read(path);
  return new AnswerFields(path, data).texts("allowed_roles");
}
