import type { Shell } from "./shell";
import { VaultError } from "./vault-client";
import { RedirectError } from "./vault-redirect";

/** Makes a request that changes something. */
export type Change = <T>(request: () => Promise<T>) => Promise<T>;

/** For those that have nobody to tell. */
export const UNTOLD: Change = (request) => request();

/**
 * The way for every request by which a command changes something: from the first on, the shell says what is being changed.
 * If that is refused, and those beside it, nothing was changed, and nothing is said to be.
 *
 * @param what is being changed, and what to do should the command not come to its end
 */
export function changes(shell: Shell, what: string): Change {
  let isMade = false;
  let underWay = 0;
  return async (request) => {
    shell.changing(what);
    underWay++;
    try {
      const answer = await request();
      isMade = true;
      return answer;
    } catch (error) {
      if (!changedNothing(error)) isMade = true;
      throw error;
    } finally {
      underWay--;
      if (!isMade && underWay === 0) shell.changing(undefined);
    }
  };
}

/** What Vault says before it looks at what is asked for: forbidden, no such path, no such method, too many requests. */
const REFUSED = [403, 404, 405, 429];
/** A revocation that has failed half-way is answered with 400, too. */
const REVOKES = /^(sys\/leases|auth\/token)\//;
/** Said by a secrets engine that does not have what is to be changed, whatever the status. */
const NOT_THERE = "failed to find entry for connection";

/** Whether Vault refused a request before it looked at what is asked for. */
export function isRefused(error: unknown): boolean {
  return error instanceof RedirectError || (error instanceof VaultError && REFUSED.includes(error.status));
}

/** Whether an error says of itself that the request has changed nothing. */
function changedNothing(error: unknown): boolean {
  if (isRefused(error)) return true;
  if (!(error instanceof VaultError)) return false;
  const { status, path, message } = error;
  return !REVOKES.test(path) && (status === 400 || message.includes(NOT_THERE));
}
