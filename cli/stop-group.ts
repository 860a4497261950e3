import { setTimeout as pause } from "node:timers/promises";
import { UserError } from "./errors";
import { VaultError, type VaultClient } from "./vault-client";

/** An AppRole by the path of its auth method below `auth/` and its own name. */
export interface GroupAppRole {
  readonly mount: string;
  readonly name: string;
}

const ATTEMPTS = 5;
/** Time for logins that have begun to end; they take milliseconds. */
const UNDER_WAY_MS = 250;

/** What was ended. */
export interface EndedGroup {
  readonly tokens: number;
  readonly secretIds: number;
}

/**
 * Stops one group of applications, those of an AppRole, and no other: destroys its SecretIDs, so that nobody logs in again,
 * and revokes its tokens, and with them every credential that they have read. The engine ends the credentials one after
 * another, beginning at once.
 *
 * Needs the right to list and revoke token accessors, and to destroy SecretIDs. Does not reach batch tokens, of which there
 * is no list.
 *
 * @throws VaultError if Vault refuses
 * @throws UserError if there are new tokens again and again, as where an AppRole needs no SecretID
 */
export async function endGroup(vault: VaultClient, approle: GroupAppRole): Promise<EndedGroup> {
  const secretIds = await destroySecretIds(vault, approle);
  let tokens = 0;
  // At least twice: a login that had begun before may have come to its end meanwhile.
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await pause(UNDER_WAY_MS);
    const accessors = await accessorsOf(vault, approle);
    if (accessors.length === 0 && attempt > 0) return { tokens, secretIds };
    for (const accessor of accessors) {
      await whileThere(() => vault.write("auth/token/revoke-accessor", { accessor }));
    }
    tokens += accessors.length;
  }
  throw new UserError(
    `The AppRole ${approle.name} of auth/${approle.mount} still logs in, though its SecretIDs are destroyed.`,
    "Somebody issues it new ones, or it needs none: stop that, or delete the AppRole, and end the group again.",
  );
}

async function destroySecretIds(vault: VaultClient, { mount, name }: GroupAppRole): Promise<number> {
  const role = `auth/${mount}/role/${name}`;
  const accessors = await vault.list(`${role}/secret-id`);
  for (const accessor of accessors) {
    const body = { secret_id_accessor: accessor };
    await whileThere(() => vault.write(`${role}/secret-id-accessor/destroy`, body));
  }
  return accessors.length;
}

/** Accessors of the tokens that logins as the AppRole were given. */
async function accessorsOf(vault: VaultClient, { mount, name }: GroupAppRole): Promise<string[]> {
  const found: string[] = [];
  let mayLookUp = false;
  let refusal: VaultError | undefined;
  for (const accessor of await vault.list("auth/token/accessors")) {
    const answer = await whileThere(() => vault.write("auth/token/lookup-accessor", { accessor })).catch(
      (error: unknown) => {
        // So it says of a token that is being made or ended at this moment, too.
        if (!(error instanceof VaultError) || error.status !== 403) throw error;
        refusal = error;
        return undefined;
      },
    );
    if (!answer) continue;
    mayLookUp = true;
    const { path, meta } = (answer.data ?? {}) as { path?: string; meta?: { role_name?: string } | null };
    // Another auth method may have an AppRole of the same name.
    if (path === `auth/${mount}/login` && meta?.role_name === name) found.push(accessor);
  }
  if (refusal !== undefined && !mayLookUp) throw refusal;
  return found;
}

/** What has ended by itself since it was listed is none of our business; a right that is missing is. */
async function whileThere<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof VaultError && /invalid accessor|failed to find accessor/i.test(error.message)) {
      return undefined;
    }
    throw error;
  }
}
