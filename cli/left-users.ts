import { setTimeout as pause } from "node:timers/promises";
import { escapeIdentifier, type Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { baseRolesOf, databaseUsers, type DatabaseUser, type KnownNames } from "./database-users";
import { leasesNow, leasesOfBoth, type Lease } from "./leases";
import { match, parseUserName, type Matching } from "./matching";
import { shownLiteral } from "./sql-text";
import { possibleRoles } from "./stripped-users";
import { counted, listed } from "./text";
import type { VaultClient } from "./vault-client";

/** A credential that is issued just now has its user before its lease: mostly for milliseconds. */
const ON_ITS_WAY_MS = 1_000;
const LOOKS = 5;

/** How many are told with the SQL that ends each. */
const MOST_TOLD = 20;

/**
 * What there was before something was revoked. Users that were there have a lease that was there, too: under load, those that
 * are issued meanwhile would hide one that has none.
 */
export interface Before {
  readonly known: KnownNames;
  readonly leases: readonly Lease[];
  /** Of leases that there were besides, and of which no more is known. */
  readonly leaseIds?: readonly string[];
  readonly users: readonly DatabaseUser[];
}

/** Users of the engine that Vault has no lease of. */
export interface UsersWithoutLease {
  readonly certain: readonly DatabaseUser[];
  /** Users that were made together, and are more than their leases. */
  readonly untold: readonly Untold[];
}

interface Untold {
  readonly users: readonly DatabaseUser[];
  /** How many of them have no lease. */
  readonly count: number;
  /** That the leases are of. */
  readonly role: string;
}

/**
 * The users of the engine that Vault has no lease of, so that it never ends them: those whose lease was lost, or whose
 * revocation dropped nothing; all of them, if it is another Vault. One that was issued a moment ago is none.
 *
 * @param isMeant which of them is asked for
 */
export async function usersWithoutLease(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  client: Client,
  before: Before,
  isMeant: (user: DatabaseUser) => boolean = () => true,
): Promise<UsersWithoutLease> {
  const look = async () => meant(await lookNow(outputs, vault, client, before), isMeant);
  const old = new Set(before.users.map(({ oid }) => oid));
  let found = await look();
  for (let again = 1; again < LOOKS && countOf(found) > 0; again++) {
    const isSettled = namedIn(found).every(({ oid }) => old.has(oid));
    if (isSettled && again > 1) break;
    await pause(ON_ITS_WAY_MS);
    const now = await look();
    const still = new Set(now.certain.map(({ oid }) => oid));
    found = { certain: found.certain.filter(({ oid }) => still.has(oid)), untold: now.untold };
  }
  return found;
}

async function lookNow(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  client: Client,
  before: Before,
): Promise<UsersWithoutLease> {
  const { users, leases } = await takeUsers(outputs, vault, client, before.known, before.leases);
  const oldUsers = new Set(before.users.map(({ oid }) => oid));
  const oldLeases = new Set([...before.leases.map(({ id }) => id), ...(before.leaseIds ?? [])]);
  const [old, since] = [true, false].map((isOld) => {
    const itsUsers = users.filter(({ oid }) => oldUsers.has(oid) === isOld);
    const itsLeases = leases.filter(({ id }) => oldLeases.has(id) === isOld);
    return withoutLease(match(outputs, itsUsers, itsLeases));
  }) as [UsersWithoutLease, UsersWithoutLease];
  return {
    certain: [...old.certain, ...since.certain],
    untold: [...old.untold, ...since.untold],
  };
}

/** The users that there are, and the leases that there were just before or after. */
export async function takeUsers(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  client: Client,
  known: KnownNames,
  knownLeases: readonly Lease[] = [],
): Promise<Before> {
  const before = await leasesNow(outputs, vault, knownLeases);
  const users = await databaseUsers(client, outputs, known);
  const after = await leasesNow(outputs, vault, before);
  return { known, users, leases: leasesOfBoth(before, after) };
}

export function withoutLease({
  usersWithoutLease: certain,
  together,
}: Pick<Matching, "usersWithoutLease" | "together">): UsersWithoutLease {
  const untold = together.flatMap(({ users, leases }) => {
    const count = users.length - leases.length;
    return count > 0 ? [{ users, count, role: leases[0]?.role ?? "" }] : [];
  });
  return { certain, untold };
}

/** Those that are asked for. */
export function meant(
  { certain, untold }: UsersWithoutLease,
  isMeant: (user: DatabaseUser) => boolean,
): UsersWithoutLease {
  return { certain: certain.filter(isMeant), untold: untold.filter(({ users }) => users.some(isMeant)) };
}

/** How many they are. */
export function countOf({ certain, untold }: UsersWithoutLease): number {
  return untold.reduce((sum, { count }) => sum + count, certain.length);
}

/** All that may be among them. */
export function namedIn({ certain, untold }: UsersWithoutLease): DatabaseUser[] {
  return [...certain, ...untold.flatMap(({ users }) => users)];
}

/** Whether a user may be of a role: by its name, and by what it is a member of, unless that was taken away. */
export function mayBeOf(outputs: EnvironmentOutputs, role: string): (user: DatabaseUser) => boolean {
  const base = outputs.roles[role]?.base_role;
  return ({ name, baseRoles }) => {
    const parsed = parseUserName(name);
    if (parsed !== undefined && !parsed.hasRole(role)) return false;
    if (base === undefined) return parsed !== undefined;
    return baseRoles.length === 0 || baseRoles.includes(base);
  };
}

/** Where there are many leases, or the server limits the rate of requests. */
export const LOOKED_AT_AFTERWARDS =
  "Whether PostgreSQL has users of these without a lease is looked at afterwards, since each lease would have to be asked for.";

/** Before it is asked whether to go on: how many this will not end. Empty where there is nobody. */
export function leftAnnouncement(
  { vault: { mount } }: EnvironmentOutputs,
  address: string,
  found: UsersWithoutLease,
  hasLeases: boolean,
): string {
  const count = countOf(found);
  if (count === 0) return "";
  return [
    `\nPostgreSQL has ${counted(count, "user")} of these without a lease, which Vault does not end.`,
    hasLeases
      ? ""
      : ` ${address} has no lease of ${mount} at all: see whether it is the Vault of this environment, and set VAULT_ADDR and ` +
        "VAULT_NAMESPACE if not.",
  ].join("");
}

/** Afterwards: who is left, and what ends them. */
export function leftText(names: readonly string[], remedy: string): string {
  return [
    `LEFT in PostgreSQL: ${names.join(", ")}`,
    "Vault has no lease of these, and does not end them. After a look at whose they are:",
    `    ${remedy}`,
  ].join("\n");
}

/** Who ends such users, where, and by which SQL. */
export function endingRemedy(
  environment: string,
  outputs: EnvironmentOutputs,
  { certain, untold }: UsersWithoutLease,
): string {
  const more = certain.length - MOST_TOLD;
  return [
    ...(certain.length > 0 ? [`As a superuser in ${outputs.postgres.database}:`] : []),
    ...certain.slice(0, MOST_TOLD).map((user) => endingSql(outputs, user)),
    ...(more > 0 ? [`and so for ${counted(more, "other")}.`] : []),
    ...untold.map(
      ({ users, count, role }) =>
        `${count} of ${listed(users.map(({ name }) => name))}, made together with ${users.length - count} that have a lease; ` +
        `vault-postgres revoke ${environment} --role ${role} ends these, and says what ends the rest.`,
    ),
  ].join("\n    ");
}

/**
 * What a revocation does, in an administrator's words. What it owns goes to its base role; where it has none any more, and
 * owns something, PostgreSQL refuses to drop it.
 */
function endingSql(outputs: EnvironmentOutputs, user: DatabaseUser): string {
  const name = escapeIdentifier(user.name);
  const base = baseOf(outputs, user);
  return [
    `ALTER ROLE ${name} NOLOGIN;`,
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename OPERATOR(pg_catalog.=) ${shownLiteral(user.name)};`,
    ...(base === undefined
      ? []
      : [`REASSIGN OWNED BY ${name} TO ${escapeIdentifier(base)};`, `DROP OWNED BY ${name};`]),
    `DROP ROLE ${name};`,
  ].join(" ");
}

/** Undefined where it is a member of none, and its name does not tell of which it was. */
function baseOf(outputs: EnvironmentOutputs, user: DatabaseUser): string | undefined {
  const bases = baseRolesOf(outputs);
  const joined = user.baseRoles.find((role) => bases.includes(role));
  if (joined !== undefined) return joined;
  const [only, ...others] = new Set(
    possibleRoles(outputs, user).map((role) => outputs.roles[role]!.base_role),
  );
  return others.length === 0 ? only : undefined;
}
