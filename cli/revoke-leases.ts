import type { EnvironmentOutputs } from "../stacks/outputs";
import { concurrently } from "./concurrently";
import { describeError } from "./errors";
import { isLimited } from "./engine-roles";
import { isRefused as isRefusedAtOnce, UNTOLD, type Change } from "./first-change";
import { leaseIdsBelow } from "./leases";
import type { Progress } from "./progress";
import { counted, oneLine } from "./text";
import { VaultError, type VaultClient } from "./vault-client";

/** A lease that is there after Vault was told to revoke it. */
export interface FailedRevocation {
  readonly lease: string;
  readonly cause: string;
  /** Whether Vault has it in its queue now: it tries again by itself, and renews it no more. */
  readonly queued: boolean;
}

/** The engine takes one at a time; a request waits for those before it, and is given up after half a minute. */
const AT_A_TIME = 4;

/** After so many that fail without a word of the database's, and none that did not, it is the engine that fails. */
const OUTAGE = 24;

/**
 * Revokes a lease. Vault tries once what it is told to answer to; where that fails the lease would keep its end, and its
 * holder could renew it. So it goes to Vault's queue then.
 *
 * @returns undefined if it is revoked
 * @throws VaultError, RedirectError if the token may not, or the server refers to another
 */
export async function revokeLease(
  vault: VaultClient,
  id: string,
  change: Change = UNTOLD,
): Promise<FailedRevocation | undefined> {
  const path = "sys/leases/revoke";
  try {
    await change(() => vault.done(path, { lease_id: id, sync: true }));
    return undefined;
  } catch (error) {
    if (isRefused(error)) throw error;
    return failure(id, error, await queued(vault, path, { lease_id: id }));
  }
}

/**
 * Revokes all leases below a path, and returns when they are revoked, or cannot be. Thousands take longer than one request
 * may: it asks again for as long as there become fewer. One request ends at the first lease that cannot be revoked: then each
 * that is left is revoked by itself, so that none keeps the others.
 *
 * @throws VaultError, RedirectError if the token may not, or the server refers to another
 */
export async function revokeBelow(
  vault: VaultClient,
  outputs: EnvironmentOutputs,
  prefix: string,
  change: Change = UNTOLD,
  progress?: Progress,
): Promise<FailedRevocation[]> {
  for (let before = Infinity; ;) {
    try {
      await change(() => vault.done(`sys/leases/revoke-prefix/${prefix}`, { sync: true }));
      return [];
    } catch (error) {
      if (isRefused(error)) throw error;
      const left = await leaseIdsBelow(vault, outputs, prefix);
      if (left.length === 0) return [];
      if (error instanceof VaultError || left.length >= before) {
        const failed = await revokeEach(vault, left, change, progress);
        const present = new Set(await leaseIdsBelow(vault, outputs, prefix));
        return failed.filter(({ lease }) => present.has(lease));
      }
      before = left.length;
    }
  }
}

/**
 * Revokes each of the leases by itself, a few at a time, whatever becomes of the others. By their paths, for which the rights
 * of revoking by prefix do.
 *
 * @returns those that failed
 */
export async function revokeEach(
  vault: VaultClient,
  ids: readonly string[],
  change: Change = UNTOLD,
  progress?: Progress,
): Promise<FailedRevocation[]> {
  const failed: FailedRevocation[] = [];
  let ended = 0;
  let unexplained = 0;
  let outage: string | undefined;
  const revoke = async (id: string) => {
    const path = `sys/leases/revoke-prefix/${id}`;
    try {
      if (outage !== undefined) throw new Error(outage);
      await change(() => vault.done(path, { sync: true }));
      ended++;
    } catch (error) {
      const one = failure(id, error, await queued(vault, path));
      failed.push(one);
      if (!isOfDatabase(one.cause)) unexplained++;
      if (ended === 0 && unexplained >= OUTAGE && unexplained === failed.length) {
        outage ??= `not tried, since ${failed.length} others failed, the last: ${one.cause}`;
      }
    }
    progress?.(
      `revoking each by itself: ${ended + failed.length} of ${counted(ids.length, "credential")}, ${failed.length} failed`,
    );
  };
  await concurrently(ids, revoke, AT_A_TIME);
  return failed;
}

/**
 * Revokes as many of the leases as there is time for, and gives up where none goes. What is left is for others to revoke, and
 * to tell of.
 *
 * @throws VaultError, RedirectError if the token may not, or the server refers to another
 */
export async function revokeWithin(
  vault: VaultClient,
  ids: readonly string[],
  milliseconds: number,
  change: Change = UNTOLD,
): Promise<void> {
  const deadline = Date.now() + milliseconds;
  let [ended, failed] = [0, 0];
  let isOverLimit = false;
  // To wait for a turn is to miss the time.
  const impatient = vault.withoutWaiting();
  const revoke = async (id: string) => {
    if (isOverLimit || Date.now() > deadline || (ended === 0 && failed >= AT_A_TIME)) return;
    try {
      await change(() => impatient.done(`sys/leases/revoke-prefix/${id}`, { sync: true }));
      ended++;
    } catch (error) {
      isOverLimit ||= isLimited(error);
      if (isOverLimit) return;
      if (isRefused(error)) throw error;
      failed++;
    }
  };
  await concurrently(ids, revoke, AT_A_TIME);
}

/** Whether it is the request that is refused, and not a lease that cannot be revoked. */
function isRefused(error: unknown): boolean {
  return isRefusedAtOnce(error) || (error instanceof VaultError && error.status === 503);
}

async function queued(vault: VaultClient, path: string, body: object = {}): Promise<boolean> {
  return vault.queue(path, { ...body, sync: false }).then(
    () => true,
    () => false,
  );
}

function failure(lease: string, error: unknown, isQueued: boolean): FailedRevocation {
  return { lease, cause: causeIn(error), queued: isQueued };
}

/** Without the words that are the same for each. */
function causeIn(error: unknown): string {
  if (!(error instanceof VaultError) || error.errors.length === 0) return describeError(error);
  const words = error.errors.map(oneLine).join("; ");
  return words.replace(/^.*?failed to revoke entry: resp: \S* err: /, "") || words;
}

/** Whether it says what the database answered to the statement, with its code: the database was reached then. */
function isOfDatabase(cause: string): boolean {
  return /\(SQLSTATE \w{5}\)|Error \d{4}/.test(cause);
}
