import { ConfigurationError, show } from "./errors";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Vault counts nanoseconds in 64 bits. */
const LONGEST = 9_223_372_036;

/**
 * A length of time in whole seconds, the unit of every TTL in Vault.
 *
 * @example Duration.minutes(15)
 */
export class Duration {
  /**
   * A number of seconds.
   *
   * @param amount whole seconds, 0 or more
   * @throws ConfigurationError for a negative length, a part of a second, or more than 292 years
   */
  static seconds(amount: number): Duration {
    return new Duration(amount);
  }

  /**
   * A number of minutes.
   *
   * @param amount minutes; a fraction is allowed if it makes whole seconds
   * @throws ConfigurationError for a negative length, a part of a second, or more than 292 years
   */
  static minutes(amount: number): Duration {
    return new Duration(amount * MINUTE);
  }

  /**
   * A number of hours.
   *
   * @param amount hours; a fraction is allowed if it makes whole seconds
   * @throws ConfigurationError for a negative length, a part of a second, or more than 292 years
   */
  static hours(amount: number): Duration {
    return new Duration(amount * HOUR);
  }

  /**
   * A number of days.
   *
   * @param amount days of 24 hours; a fraction is allowed if it makes whole seconds
   * @throws ConfigurationError for a negative length, a part of a second, or more than 292 years
   */
  static days(amount: number): Duration {
    return new Duration(amount * DAY);
  }

  private constructor(private readonly amount: number) {
    if (!Number.isSafeInteger(amount) || amount < 0) {
      throw new ConfigurationError(
        `A duration of ${show(amount)} seconds is not possible.`,
        "Use a whole number of seconds, 0 or more, such as Duration.minutes(15).",
      );
    }
    if (amount > LONGEST) {
      throw new ConfigurationError(
        `A duration of ${show(amount)} seconds is longer than Vault can count.`,
        `Use ${LONGEST} seconds, 292 years, or less.`,
      );
    }
  }

  /** The length in seconds. */
  toSeconds(): number {
    return this.amount;
  }

  /** Whether this is longer than the other. */
  isLongerThan(other: Duration): boolean {
    return this.amount > other.amount;
  }

  /** The length in the largest unit that divides it, as Vault writes it: `90s`, `15m`, `24h`. */
  toString(): string {
    if (this.amount !== 0 && this.amount % HOUR === 0) return `${this.amount / HOUR}h`;
    if (this.amount !== 0 && this.amount % MINUTE === 0) return `${this.amount / MINUTE}m`;
    return `${this.amount}s`;
  }
}
