import type { Inventory } from "./inventory";
import { lasting } from "./text";

/**
 * What Vault does about leases of a user that could not be dropped, and the command that does it at once. A revocation that
 * was asked for to be answered is tried once, and the lease keeps its end; one whose end is over is tried again; one that was
 * given up is not.
 *
 * @param leases ids; several where it cannot be told which of them is the user's
 * @param now milliseconds since 1970
 */
export function nextAttempt(
  environment: string,
  leases: readonly string[],
  { leases: live, irrevocable }: Pick<Inventory, "leases" | "irrevocable">,
  now: number,
): string {
  const [lease, ...others] = leases;
  const [how, itsHolder] =
    others.length === 0
      ? [`vault-postgres revoke ${environment} --lease ${lease}`, "its holder may renew it"]
      : ["vault-postgres revoke with --lease or --role", "holders may renew theirs"];
  const whole = new Set(leases);
  if (irrevocable.some(({ id }) => whole.has(id))) {
    return `Vault has given up, and nobody tries again soon: ${how}`;
  }
  const ends = live.filter(({ id }) => whole.has(id)).map(({ expiresAt }) => expiresAt);
  const last = Math.max(...ends);
  if (last <= now) return `Vault tries again by itself; at once: ${how}`;
  const when = lasting((Math.min(...ends.filter((end) => end > now)) - now) / 1_000);
  return others.length === 0
    ? `Vault does not try again before the lease ends, in ${when}, and ${itsHolder}; ${how} has it tried now, and until it is done`
    : `Vault may not try again before a lease ends, in ${when}, and ${itsHolder}; ${how} has them tried now, and until it is done`;
}
