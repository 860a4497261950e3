import type { EnvironmentOutputs } from "../../stacks/outputs";
import { leaseIdsByRole, lookUpLeases, type Lease } from "../leases";
import { parseUserName, type UserName } from "../matching";
import type { VaultClient } from "../vault-client";
import type { EndedUser } from "./ended-users";

/** Names have whole seconds. */
const EARLIER_MS = 1_000;
/** The lease comes after the user: mostly within milliseconds, and later where the server was slow. */
const LATER_MS = [2_000, 60_000] as const;

/**
 * The lease that is a user's, also if Vault has given up on it; undefined where that cannot be told for certain.
 *
 * @param others names of the engine's other users: a lease that was made with one of them is not this one's
 */
export async function leaseOf(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  user: EndedUser,
  others: readonly string[],
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
  const rivals = others.map(parseUserName).filter((other) => other !== undefined);
  const isOfRival = (lease: Lease) =>
    rivals.some((other) => other.hasRole(lease.role) && isMadeWith(other, lease, LATER_MS[0]));
  for (const later of LATER_MS) {
    const near = leases.filter((lease) => isMadeWith(name, lease, later));
    // Of several that were made at once, or one beside another user, it is the one that Vault is revoking, if that is one.
    const isShared = near.length > 1 || near.some(isOfRival);
    const possible = isShared ? near.filter(({ ttlSeconds }) => ttlSeconds <= 0) : near;
    if (near.length > 0) return possible.length === 1 ? possible[0]!.id : undefined;
  }
  return undefined;
}

function isMadeWith({ madeAt }: UserName, { issuedAt }: Lease, latest: number): boolean {
  const elapsed = issuedAt - madeAt;
  return elapsed >= -EARLIER_MS && elapsed <= latest;
}
