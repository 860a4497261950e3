import type { CheckList } from "./checks";
import { Failure } from "./checks";
import { describeError } from "./errors";
import { VaultError, type VaultClient } from "./vault-client";

/** Something that an application was given and that is still there, or may be. */
export interface Left {
  /** By what tells it and is no secret, such as `the lease x/database/creds/reader/abc`. */
  readonly what: string;
  readonly why: string;
  /** Whether it was refused (403), as with fewer rights than the documented ones: it ends by itself in its time. */
  readonly isRefused: boolean;
}

/** @returns undefined for what is given up */
export async function giveUp(what: string, work: () => Promise<unknown>): Promise<Left | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const status = error instanceof VaultError ? error.status : undefined;
    return { what, why: describeError(error), isRefused: status === 403 };
  }
}

/** Ends a token with what it holds; one that has ended, or that cannot be ended but by its time, is none that is left. */
export async function giveUpToken(client: VaultClient, accessor: string): Promise<Left | undefined> {
  const left = await giveUp(`the token with the accessor ${accessor}`, () =>
    client.done("auth/token/revoke-self"),
  );
  return left !== undefined && /invalid token|bad token|batch tokens/.test(left.why) ? undefined : left;
}

/** What is left, in a line. */
export function leftText(left: readonly Left[]): string {
  return left.map(({ what, why }) => `${what}: ${why}`).join("; ");
}

/** Tells what is left of an application, as a check that does not hold; nothing where nothing is left. */
export async function tellLeft(list: CheckList, subject: string, left: readonly Left[]): Promise<void> {
  if (left.length === 0) return;
  const name = "give up what it was given";
  const failed = left.filter(({ isRefused }) => !isRefused);
  if (failed.length === 0) {
    await list.skip(name, subject, `${leftText(left)}. It ends by itself, in its time`);
    return;
  }
  await list.expect(name, subject, () =>
    Promise.reject(
      new Failure(
        `left behind: ${leftText(left)}. Once the cause is mended: vault-postgres revoke with --lease, or --approle ` +
          `${subject}, which ends its tokens and SecretIDs too`,
      ),
    ),
  );
}
