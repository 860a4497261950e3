import { conditional, Fn, Op, Token } from "cdktf";
import { Duration } from "../duration";
import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../tokens";

/** How many connections an engine keeps to a database server. */
export interface ConnectionLimits {
  /** Most connections that the engine opens, 1 or more. @default 4 */
  readonly maxOpenConnections?: number;
  /** Most of them kept open without work, 0 or more and at most maxOpenConnections. @default 2 */
  readonly maxIdleConnections?: number;
  /** After this time a connection is closed and opened anew; never, where it is 0. @default Duration.minutes(30) */
  readonly maxConnectionLifetime?: Duration;
}

/**
 * Checks the limits of a connection and fills in their defaults, with the lifetime in seconds.
 *
 * @param connection name of the connection, for the message
 * @throws ConfigurationError for counts that are not whole or contradict each other
 */
export function checkLimits(connection: string, limits: ConnectionLimits) {
  const maxOpenConnections = limits.maxOpenConnections ?? 4;
  const { maxIdleConnections = least(2, maxOpenConnections) } = limits;
  const known = !isUnresolved(maxOpenConnections);
  if (known && (!Number.isInteger(maxOpenConnections) || maxOpenConnections < 1)) {
    throw new ConfigurationError(
      `The connection ${show(connection)} may open ${show(maxOpenConnections)} connections.`,
      "Set maxOpenConnections to a whole number, 1 or more.",
    );
  }
  if (
    !isUnresolved(maxIdleConnections) &&
    (!Number.isInteger(maxIdleConnections) ||
      maxIdleConnections < 0 ||
      (known && maxIdleConnections > maxOpenConnections))
  ) {
    const most = known ? ` (${maxOpenConnections})` : "";
    throw new ConfigurationError(
      `The connection ${show(connection)} may keep ${show(maxIdleConnections)} idle connections.`,
      `Set maxIdleConnections to a whole number from 0 to maxOpenConnections${most}.`,
    );
  }
  const lifetime = limits.maxConnectionLifetime ?? Duration.minutes(30);
  return {
    maxOpenConnections,
    maxIdleConnections:
      limits.maxIdleConnections === undefined ? maxIdleConnections : asEngineCounts(maxIdleConnections),
    maxConnectionLifetime: lifetime.toSeconds(),
  };
}

/** To an engine 0 means as many as may be open, and a negative number none. */
const NONE = -1;

function asEngineCounts(idle: number): number {
  // Op takes a 0 for no operand.
  if (isUnresolved(idle)) return Token.asNumber(conditional(Op.gt(1, idle), NONE, idle));
  return idle === 0 ? NONE : idle;
}

function least(a: number, b: number): number {
  return isUnresolved(b) ? Fn.min([a, b]) : Math.min(a, b);
}
