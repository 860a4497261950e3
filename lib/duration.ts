import { Op } from "cdktf";
import { ConfigurationError, show } from "./errors";
import { isUnresolved, numberText } from "./tokens";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Vault counts nanoseconds in 64 bits. */
const LONGEST = 9_223_372_036;

/**
 * A length of time in whole seconds, the unit of every TTL in Vault. Each of them takes a number that only Terraform knows,
 * such as `variable.numberValue`; what the length is compared with at synthesis is then not compared.
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
    return new Duration(times(amount, MINUTE));
  }

  /**
   * A number of hours.
   *
   * @param amount hours; a fraction is allowed if it makes whole seconds
   * @throws ConfigurationError for a negative length, a part of a second, or more than 292 years
   */
  static hours(amount: number): Duration {
    return new Duration(times(amount, HOUR));
  }

  /**
   * A number of days.
   *
   * @param amount days of 24 hours; a fraction is allowed if it makes whole seconds
   * @throws ConfigurationError for a negative length, a part of a second, or more than 292 years
   */
  static days(amount: number): Duration {
    return new Duration(times(amount, DAY));
  }

  private readonly amount: number;

  private constructor(given: number) {
    this.amount = isUnresolved(given) ? given : withoutError(given);
    if (isUnresolved(given)) return;
    const { amount } = this;
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

  /** The length in seconds; in a text, a number that only Terraform knows needs {@link toString}. */
  toSeconds(): number {
    return this.amount;
  }

  /**
   * The length in milliseconds, as a text.
   *
   * @param less milliseconds to take off
   */
  toMilliseconds(less = 0): string {
    const whole = times(this.amount, 1000);
    if (!isUnresolved(whole)) return numberText(whole - less);
    // Op.sub takes a 0 for no operand.
    return numberText(less === 0 ? whole : Op.sub(whole, less));
  }

  /** Whether this is longer than the other; false where only Terraform knows one of them. */
  isLongerThan(other: Duration): boolean {
    if (isUnresolved(this.amount) || isUnresolved(other.amount)) return false;
    return this.amount > other.amount;
  }

  /** The length in the largest unit that divides it, as Vault writes it: `90s`, `15m`, `24h`. */
  toString(): string {
    if (isUnresolved(this.amount)) return `${numberText(this.amount)}s`;
    if (this.amount !== 0 && this.amount % HOUR === 0) return `${this.amount / HOUR}h`;
    if (this.amount !== 0 && this.amount % MINUTE === 0) return `${this.amount / MINUTE}m`;
    return `${this.amount}s`;
  }
}

/** 1.1 hours are 3960.0000000000005 seconds to floating point. What is left is far below a nanosecond of each second. */
const ERROR = 1e-12;

function withoutError(amount: number): number {
  if (!Number.isFinite(amount)) return amount;
  const whole = Math.round(amount);
  return Math.abs(amount - whole) <= ERROR * whole ? whole : amount;
}

function times(amount: number, factor: number): number {
  return isUnresolved(amount) ? Op.mul(amount, factor) : amount * factor;
}
