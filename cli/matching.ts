import type { EnvironmentOutputs } from "../stacks/outputs";
import type { DatabaseUser } from "./database-users";
import type { Lease } from "./leases";

/**
 * What can be told of which user belongs to which lease. A lease look-up does not name its user; the engine's default user
 * names hold the role and the time that they were made, the lease the time that it was issued.
 */
export interface Matching {
  /** By lease id, where no other user can be that of the lease. */
  readonly userOfLease: ReadonlyMap<string, DatabaseUser>;
  /** No lease can be theirs. */
  readonly usersWithoutLease: readonly DatabaseUser[];
  /** No user can be theirs. */
  readonly leasesWithoutUser: readonly Lease[];
  /** Users and leases that were made together, so that who is whose cannot be told; what is too many on a side is. */
  readonly together: readonly Together[];
}

export interface Together {
  readonly users: readonly DatabaseUser[];
  readonly leases: readonly Lease[];
}

/** The engine makes the name, then the user, then the lease, which takes milliseconds; names have whole seconds. */
const AT_ONCE = { before: 1_000, after: 2_000 };
/** Where the server was slow. */
const LATER = { before: 1_000, after: 60_000 };

/** The role's name in a user's name has this length at most. */
const ROLE_LENGTH = 8;

/** Tells what can be told of the users and leases of an environment's roles. */
export function match(
  outputs: EnvironmentOutputs,
  users: readonly DatabaseUser[],
  leases: readonly Lease[],
): Matching {
  const first = group(outputs, users, leases, AT_ONCE);
  const usersLeft = first.flatMap((found) => (found.leases.length === 0 ? found.users : []));
  const leasesLeft = first.flatMap((found) => (found.users.length === 0 ? found.leases : []));
  const groups = [
    ...first.filter((found) => found.users.length > 0 && found.leases.length > 0),
    ...group(outputs, usersLeft, leasesLeft, LATER),
  ];
  const both = groups.filter((found) => found.users.length > 0 && found.leases.length > 0);
  const isPair = ({ users: [user, ...others], leases: [, ...moreLeases] }: Together) =>
    others.length + moreLeases.length === 0 && parseUserName(user?.name ?? "") !== undefined;
  return {
    userOfLease: new Map(both.filter(isPair).map(({ users, leases }) => [leases[0]!.id, users[0]!] as const)),
    usersWithoutLease: groups.flatMap((found) => (found.leases.length === 0 ? found.users : [])),
    // Users of another stack's role are members of a base role that is not looked at.
    leasesWithoutUser: groups
      .flatMap((found) => (found.users.length === 0 ? found.leases : []))
      .filter(({ role }) => outputs.roles[role] !== undefined),
    together: both.filter((found) => !isPair(found)),
  };
}

type Window = typeof AT_ONCE;

/** Users and leases that may belong together, directly or by way of others. */
function group(
  outputs: EnvironmentOutputs,
  users: readonly DatabaseUser[],
  leases: readonly Lease[],
  window: Window,
): Together[] {
  const open = [...leases];
  const groups: { users: DatabaseUser[]; leases: Lease[] }[] = [];
  for (const user of users) {
    const name = parseUserName(user.name);
    const mayOwn = (lease: Lease) => mayBelong(outputs, user, name, lease, window);
    const touching = groups.filter((found) => found.leases.some(mayOwn));
    const merged = {
      users: touching.flatMap((found) => found.users),
      leases: touching.flatMap((found) => found.leases),
    };
    merged.users.push(user);
    for (let index = open.length - 1; index >= 0; index--) {
      if (mayOwn(open[index]!)) merged.leases.push(...open.splice(index, 1));
    }
    groups.splice(0, groups.length, ...groups.filter((found) => !touching.includes(found)), merged);
  }
  return [...groups, ...open.map((lease) => ({ users: [], leases: [lease] }))];
}

function mayBelong(
  outputs: EnvironmentOutputs,
  user: DatabaseUser,
  name: UserName | undefined,
  lease: Lease,
  { before, after }: Window,
): boolean {
  const role = outputs.roles[lease.role];
  // A user that is a member of nothing any more may have been one of any base role.
  if (role !== undefined && user.baseRoles.length > 0 && !user.baseRoles.includes(role.base_role))
    return false;
  // Another stack's role may hand out the same base role, and only names tell.
  if (role === undefined && name === undefined) return !isOurs(outputs, user);
  // A name of the user's own template says nothing: any lease of the base role may be its.
  if (name === undefined) return true;
  const elapsed = lease.issuedAt - name.madeAt;
  return name.hasRole(lease.role) && elapsed >= -before && elapsed <= after;
}

/** Whether a user is a member of a base role of the environment. */
function isOurs({ roles }: EnvironmentOutputs, user: DatabaseUser): boolean {
  return Object.values(roles).some(({ base_role }) => user.baseRoles.includes(base_role));
}

/** What a name of the engine's default template tells. */
export interface UserName {
  /** Milliseconds since 1970. */
  readonly madeAt: number;
  hasRole(role: string): boolean;
}

/** Reads `v-<token's name>-<role>-<20 random>-<Unix time>`; undefined for names of another form. */
export function parseUserName(name: string): UserName | undefined {
  const [, owner = "", time = ""] = /^v-(.+)-[A-Za-z0-9]{20}-(\d{10})$/.exec(name) ?? [];
  if (owner === "") return undefined;
  return {
    madeAt: Number(time) * 1_000,
    // Both names are cut, and may hold dashes.
    hasRole: (role) => `-${owner}`.endsWith(`-${role.slice(0, ROLE_LENGTH)}`),
  };
}
