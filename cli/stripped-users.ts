import type { EnvironmentOutputs } from "../stacks/outputs";
import type { DatabaseUser } from "./database-users";
import type { EngineRole } from "./engine-roles";
import type { Inventory, PostgresInventory } from "./inventory";
import { roleOfLease } from "./leases";
import { parseUserName } from "./matching";

/** What a stripped user is. */
export const strippedText =
  "its revocation could not shut its login, as something holds its row, and has taken its memberships away: it has no " +
  "rights any more, and is not gone";

/**
 * Marks the users that are a member of nothing any more, though each role that they may be of makes its users members of its
 * base role: a revocation does that where a user holds its own row, so that its login cannot be shut. Its lease is kept then.
 */
export function withStripped(
  outputs: EnvironmentOutputs,
  users: readonly DatabaseUser[],
  { postgres, irrevocable }: Inventory,
  engineRoles: ReadonlyMap<string, EngineRole>,
): DatabaseUser[] {
  const joinsBase = (role: string) => {
    const base = outputs.roles[role]?.base_role;
    const sql = engineRoles.get(role)?.creation.join("\n") ?? "";
    return base !== undefined && sql.includes(base);
  };
  return users.map((user) => {
    // Of one that the engine's login may not change, no revocation has taken anything away.
    if (user.shut !== undefined || user.baseRoles.length > 0 || !user.isManaged) return user;
    const roles = possibleRoles(outputs, user, postgres);
    const leases = [
      ...(postgres === undefined ? [] : leasesOf(postgres, user)),
      ...irrevocable.map(({ id }) => id),
    ];
    const hasLease = leases.some((id) => roles.includes(roleOfLease(id)));
    return hasLease && roles.length > 0 && roles.every(joinsBase)
      ? { ...user, shut: "stripped" as const }
      : user;
  });
}

/** Roles of the environment that a user may be of, by its name; where that says nothing, by its lease. */
export function possibleRoles(
  outputs: EnvironmentOutputs,
  user: Pick<DatabaseUser, "name" | "oid">,
  postgres?: PostgresInventory,
): string[] {
  const name = parseUserName(user.name);
  if (name !== undefined) return Object.keys(outputs.roles).filter((role) => name.hasRole(role));
  return postgres === undefined ? [] : [...new Set(leasesOf(postgres, user).map(roleOfLease))];
}

/** Ids of the leases that may be a user's. */
export function leasesOf(
  { userOfLease, together }: PostgresInventory,
  { oid }: Pick<DatabaseUser, "oid">,
): string[] {
  const pair = [...userOfLease].find(([, owner]) => owner.oid === oid);
  if (pair !== undefined) return [pair[0]];
  return together
    .filter(({ users }) => users.some((user) => user.oid === oid))
    .flatMap(({ leases }) => leases.map(({ id }) => id));
}
