import type { EnvironmentOutputs } from "../../stacks/outputs";
import { leaseIdsByRole, lookUpLeases } from "../leases";
import { parseUserName } from "../matching";
import type { VaultClient } from "../vault-client";
import type { EndedUser } from "./ended-users";

/** Names have whole seconds. */
const EARLIER_MS = 1_000;
/** The lease comes after the user: mostly within milliseconds, and later where the server was slow. */
const LATER_MS = [2_000, 60_000] as const;

/** The lease that is a user's, also if Vault has given up on it; undefined where that cannot be told for certain. */
export async function leaseOf(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  user: EndedUser,
): Promise<string | undefined> {
  const name = parseUserName(user.name);
  if (name === undefined) return undefined;
  const roles = Object.entries(outputs.roles).filter(
    ([role, { base_role }]) => base_role === user.baseRole && name.hasRole(role),
  );
  const ids = await leaseIdsByRole(vault, outputs);
  const leases = await lookUpLeases(
    vault,
    roles.flatMap(([role]) => ids.get(role) ?? []),
  );
  for (const later of LATER_MS) {
    const possible = leases.filter(({ issuedAt }) => {
      const elapsed = issuedAt - name.madeAt;
      return elapsed >= -EARLIER_MS && elapsed <= later;
    });
    // Of several that were made at once, it is the one that Vault is revoking, if that is one.
    const ending = possible.filter(({ ttlSeconds }) => ttlSeconds <= 0);
    const [only, ...others] = possible.length > 1 ? ending : possible;
    if (possible.length > 0) return others.length === 0 ? only?.id : undefined;
  }
  return undefined;
}
