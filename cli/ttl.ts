import { UserError } from "./errors";

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/**
 * Seconds of a time as Vault writes it: `90`, `90s`, `2m`, `1h`.
 *
 * @param option how it was given, for the message
 * @throws UserError for anything else, and for 0
 */
export function secondsOf(option: string, text: string): number {
  const [, amount = "", unit = "s"] = /^(\d{1,9})([smh]?)$/.exec(text) ?? [];
  const seconds = Number(amount) * (UNITS[unit === "" ? "s" : unit] ?? 0);
  if (amount === "" || seconds === 0) {
    throw new UserError(`${option} is "${text}".`, "Give a time such as 90s, 2m or 1h.");
  }
  return seconds;
}
