import type { Client } from "pg";
import { describeError, UserError } from "../errors";
import { resetting } from "../large-settings";
import { asEither, asManager } from "./as-manager";
import type { EndedUser } from "./ended-users";

/** A revocation has a second or two; hundreds of MB take longer to delete. */
const RESET_TIMEOUT_MS = 600_000;

/**
 * Resets the settings of a user, where they are so large that its revocation could not be through with them in time: one place
 * a transaction, so that it may be cut off at any time.
 *
 * @returns why some could not be reset
 * @throws UserError if the present login may not act as the engine's
 */
export async function resetSettings(
  client: Client,
  { name, settings }: Pick<EndedUser, "name" | "settings">,
  manager: string,
): Promise<string[]> {
  const refused: string[] = [];
  for (const place of settings) {
    const sql = resetting(name, place);
    try {
      await asEither((as) =>
        asManager(client, manager, {
          user: name,
          joins: () => Promise.resolve([]),
          steps: () => Promise.resolve([{ as, sql }]),
          timeoutMs: RESET_TIMEOUT_MS,
        }),
      );
    } catch (error) {
      if (error instanceof UserError) throw error;
      refused.push(`its settings: ${describeError(error)}. As a superuser: ${sql};`);
    }
  }
  return refused;
}
