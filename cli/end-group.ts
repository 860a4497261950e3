import { setTimeout as pause } from "node:timers/promises";
import { concurrently } from "./concurrently";
import { describeError, UserError } from "./errors";
import { isRefused, UNTOLD, type Change } from "./first-change";
import { hasEnded, TokenLook } from "./group-tokens";
import { VaultError, type VaultClient } from "./vault-client";

/** Logins that were under way while the SecretIDs went may leave a token, so it is looked at least twice. */
const ROUNDS = 5;
/** Time for such logins to end; they take milliseconds. */
const UNDER_WAY_MS = 250;
const WRAP_SECONDS = 60;

/**
 * Ends an AppRole's whole group: destroys its SecretIDs, so that nobody logs in again, and revokes all its tokens, and with
 * them the leases that they obtained. Others that read the same roles go on. Batch tokens, of which there is no list, are not
 * reached.
 *
 * @param approle `mount` is the path of the auth method below `auth/`
 * @param look of which tokens there are, if there was one before
 * @returns how many there were
 * @throws VaultError if Vault refuses
 * @throws UserError if the AppRole keeps getting tokens, or if neither it nor a token of it is there
 */
export async function endGroup(
  vault: VaultClient,
  approle: { mount: string; name: string },
  change: Change = UNTOLD,
  look = new TokenLook(vault, approle.mount),
): Promise<{ tokens: number; secretIds: number }> {
  const { mount, name } = approle;
  const secretIds = new Set<string>();
  const tokens = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) await pause(UNDER_WAY_MS);
    const issued = await secretIdAccessors(vault, approle);
    const ids = issued ?? [];
    const failures = await failuresOf(ids, (accessor) => destroySecretId(vault, approle, accessor, change));
    if (failures.length > 0 && failures.every(isRefused)) throw failures[0];
    const accessors = (await look.now())
      .filter((token) => token.approle === name)
      .map(({ accessor }) => accessor);
    failures.push(...(await failuresOf(accessors, (accessor) => revokeToken(vault, accessor, change))));
    if (failures.length > 0) throw together(failures);
    ids.forEach((id) => secretIds.add(id));
    accessors.forEach((accessor) => tokens.add(accessor));
    if (round === 0 || ids.length > 0 || accessors.length > 0) continue;
    // One that was removed by hand may have left tokens; without any, the name is more likely wrong.
    if (!issued && tokens.size === 0)
      throw new UserError(
        `The AppRole "${name}" does not exist in auth/${mount}, and no token of it is left.`,
        "Check the name and the mount; nothing was ended.",
      );
    return { tokens: tokens.size, secretIds: secretIds.size };
  }
  throw new UserError(
    `The AppRole ${name} of auth/${mount} keeps getting SecretIDs or tokens.`,
    "Stop what issues SecretIDs for it, or see whether it logs in without one (bind_secret_id), and run this again.",
  );
}

/** Does it for each, whatever becomes of the others, and returns what has failed. */
async function failuresOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<unknown[]> {
  const failures: unknown[] = [];
  await concurrently(items, (item) => work(item).catch((error: unknown) => failures.push(error)));
  return failures;
}

/** One error for all. What Vault refuses for each alike is told as it is. */
function together(failures: readonly unknown[]): unknown {
  const words = [...new Set(failures.map(describeError))];
  if (words.length === 1) return failures[0];
  return new UserError(words.join("\n"), "All others were ended. Once that is solved, run this again.");
}

/**
 * Accessors of an AppRole's SecretIDs; undefined for an AppRole that is not there. Asked for wrapped, because the policy
 * allows that path only so, for the sake of those who issue SecretIDs at it.
 */
export async function secretIdAccessors(
  vault: VaultClient,
  { mount, name }: { mount: string; name: string },
): Promise<string[] | undefined> {
  try {
    return await vault.list(`auth/${mount}/role/${name}/secret-id`, WRAP_SECONDS);
  } catch (error) {
    // What both engines say where the mount is there.
    if (error instanceof VaultError && error.status === 400 && error.message.includes("does not exist"))
      return undefined;
    throw error;
  }
}

async function revokeToken(vault: VaultClient, accessor: string, change: Change): Promise<void> {
  try {
    await change(() => vault.done("auth/token/revoke-accessor", { accessor }));
  } catch (error) {
    if (!hasEnded(error)) throw error;
  }
}

async function destroySecretId(
  vault: VaultClient,
  { mount, name }: { mount: string; name: string },
  accessor: string,
  change: Change,
): Promise<void> {
  try {
    const path = `auth/${mount}/role/${name}/secret-id-accessor/destroy`;
    await change(() => vault.done(path, { secret_id_accessor: accessor }));
  } catch (error) {
    // It was used up or ended in the meantime, which both engines answer with 500.
    if (error instanceof VaultError && error.message.includes("failed to find accessor entry")) return;
    throw error;
  }
}
