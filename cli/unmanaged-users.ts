import { escapeIdentifier } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import type { Finding } from "./finding";
import type { PostgresInventory } from "./inventory";
import { leasesOf } from "./stripped-users";
import { listed } from "./text";

/** What a user lacks that was made by a former login of the engine, or by somebody else. */
export function unmanagedText({ postgres: { manager } }: EnvironmentOutputs): string {
  return (
    `the engine's login ${manager} has no ADMIN on it, as where that login was dropped and made anew since: ` +
    "it can neither be renewed nor revoked"
  );
}

/** What gives it back to the engine. */
export function unmanagedRemedy({ postgres: { manager } }: EnvironmentOutputs, user: string): string {
  return `As a superuser: GRANT ${escapeIdentifier(user)} TO ${escapeIdentifier(manager)} WITH ADMIN OPTION;`;
}

/**
 * Users that may log in, have a lease, and that the engine's login may not drop. Of those that may not log in any more, it is
 * said with them; those without a lease are told as such.
 */
export function unmanagedUserFindings(
  environment: string,
  outputs: EnvironmentOutputs,
  inventory: PostgresInventory,
): Finding[] {
  return inventory.users
    .filter(({ isManaged, shut }) => !isManaged && shut === undefined)
    .flatMap((user): Finding[] => {
      const leases = leasesOf(inventory, user);
      const [lease, ...others] = leases;
      if (lease === undefined) return [];
      const [isOne, revoke] = [others.length === 0, `vault-postgres revoke ${environment}`];
      return [
        {
          kind: "missing-right",
          subject: user.name,
          detail: [
            unmanagedText(outputs),
            ...(user.baseRoles.length === 0 ? ["it is a member of no role any more, and may log in"] : []),
            `${isOne ? "lease" : "one of the leases"} ${listed(leases)} is kept`,
          ].join("; "),
          remedy:
            `${unmanagedRemedy(outputs, user.name)}\n    Then Vault revokes it in time; at once: ${revoke} ` +
            (isOne ? `--lease ${lease}` : "with --lease or --role"),
        },
      ];
    });
}
