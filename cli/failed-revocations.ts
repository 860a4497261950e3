import type { FailedRevocation } from "./revoke-leases";

/** The leases by what Vault said of them, one line a cause. */
export function causeLines(failed: readonly FailedRevocation[]): string[] {
  const byCause = new Map<string, string[]>();
  for (const { lease, cause } of failed) {
    const leases = byCause.get(cause);
    if (leases === undefined) byCause.set(cause, [lease]);
    else leases.push(lease);
  }
  return [...byCause].map(([cause, leases]) => `  ${cause}: ${leases.join(", ")}`);
}

/** What becomes of them, and what is to be done. */
export function failedRemedy(failed: readonly FailedRevocation[]): string {
  const unqueued = failed.filter(({ queued }) => !queued).map(({ lease }) => lease);
  return [
    ...(unqueued.length < failed.length
      ? ["Vault tries again by itself, up to six times within ten minutes, and renews them no more."]
      : []),
    ...(unqueued.length > 0
      ? [`Vault did not take in its queue, so that nobody tries again: ${unqueued.join(", ")}.`]
      : []),
    "vault-postgres status names what keeps each, and what to do; then run this again.",
  ].join("\n");
}
