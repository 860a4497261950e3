import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../names";

/** PostgreSQL keeps it in 32 bits. */
const MOST = 2 ** 31 - 1;

/**
 * Checks how many sessions a login or a database may have, and returns it.
 *
 * @param whose with its name, for the message
 * @throws ConfigurationError unless it is a whole number, -1 or more
 */
export function checkConnectionLimit(whose: string, limit: number | undefined): number | undefined {
  if (limit === undefined || isUnresolved(limit)) return limit;
  if (!Number.isInteger(limit) || limit < -1 || limit > MOST) {
    throw new ConfigurationError(
      `The ${whose} has the connectionLimit ${show(limit)}.`,
      `Use a whole number from 0 to ${MOST}, or -1 for no limit.`,
    );
  }
  return limit;
}
