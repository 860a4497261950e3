import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../names";

/** PostgreSQL keeps it in 32 bits. */
const MOST = 2 ** 31 - 1;

/**
 * Checks how many sessions a login or a database may have, and returns it.
 *
 * @param whose with its name, for the message
 * @param least number of sessions that it is good for anything with
 * @throws ConfigurationError unless it is -1, or a whole number of `least` or more
 */
export function checkConnectionLimit(
  whose: string,
  limit: number | undefined,
  least: 0 | 1 = 0,
): number | undefined {
  if (limit === undefined || isUnresolved(limit)) return limit;
  if (!Number.isInteger(limit) || limit > MOST || (limit < least && limit !== -1)) {
    throw new ConfigurationError(
      `The ${whose} has the connectionLimit ${show(limit)}.`,
      `Use a whole number from ${least} to ${MOST}, or -1 for no limit.`,
    );
  }
  return limit;
}
