import type { EnvironmentOutputs } from "../stacks/outputs";
import {
  databaseUsers,
  endSessions,
  outlivedSessions,
  type DatabaseUser,
  type OutlivedSession,
} from "./database-users";
import { leaseIdsByRole, lookUpLeases, roleOfLease } from "./leases";
import { knownNames } from "./inventory";
import { endingRemedy, mayBeOf, namedIn, usersWithoutLease, type UsersWithoutLease } from "./left-users";
import type { Together } from "./matching";
import type { Session } from "./postgres-login";
import type { RevocationLook, UsersLook } from "./revocation-look";
import type { Scope, Target } from "./revocation-target";
import type { VaultClient } from "./vault-client";

/** How long Vault may take to end what it has been told to. */
const TIMEOUT_MS = 20_000;
const INTERVAL_MS = 100;
/** A lease with more time left does not end by itself while a revocation takes its course. */
const FAR_SECONDS = 300;

/** What is there after a revocation. */
export interface Aftermath {
  /** How many leases have gone. */
  readonly leasesEnded: number;
  /** Ids of leases that should have gone and have not. */
  readonly leasesLeft: readonly string[];
  /** Leases of the AppRole's roles that its tokens' end has not ended. */
  readonly goOn: readonly { readonly lease: string; readonly role: string }[];
  /** Absent where PostgreSQL was not looked at. */
  readonly postgres?: {
    readonly usersGone: number;
    /** Names of users that should have gone and have not, and that Vault has no lease of: it ends them no more. */
    readonly usersLeft: readonly string[];
    /** What ends these; absent where there are none. */
    readonly remedy?: string;
    readonly sessionsEnded: number;
    /** Process ids of sessions that go on without their role. */
    readonly sessionsLeft: readonly number[];
  };
}

/** What was to be revoked, and what there was before. */
export interface Revoked {
  readonly environment: string;
  readonly look: RevocationLook;
  readonly scope: Scope;
  readonly target: Target;
}

/**
 * Waits until what should be gone is gone, or Vault has had its time, and looks at what there is.
 *
 * @param failed ids of leases that are not waited for
 */
export async function lookAfterwards(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  session: Session | undefined,
  before: Revoked,
  end: boolean,
  failed: ReadonlySet<string>,
): Promise<Aftermath> {
  const { look, target, scope } = before;
  const deadline = Date.now() + TIMEOUT_MS;
  const hasToGo = new Set([...scope.certain, ...failed]);
  // Nobody is at those that Vault has given up on.
  const settled = new Set([...failed, ...look.irrevocable.map(({ id }) => id)]);
  let goOn: readonly string[] = [];
  let present = await presentLeases(outputs, vault);
  for (;;) {
    // A token's end ends its leases at once, and Vault revokes them after that, one by one.
    if (target.kind === "approle") {
      const found = await endedWithTokens(vault, before, present);
      found.ending.forEach((id) => hasToGo.add(id));
      goOn = found.goOn;
    }
    const isDue = () => [...hasToGo].some((id) => present.has(id) && !settled.has(id));
    if (!isDue() || Date.now() >= deadline) break;
    while (isDue() && Date.now() < deadline) {
      await pause();
      present = await presentLeases(outputs, vault);
    }
  }
  const leasesLeft = [...hasToGo].filter((id) => present.has(id));
  const mayHaveGone = new Set([...hasToGo, ...scope.possible, ...liveElsewhere(before)]);
  const gone = look.leaseIds.filter((id) => mayHaveGone.has(id) && !present.has(id));
  const roles = [...new Set([...scope.roles, ...[...hasToGo].map(roleOfLease)])];
  const revoked = { ...before, scope: { ...scope, roles }, gone };
  return {
    leasesEnded: gone.length,
    leasesLeft,
    goOn: goOn.map((lease) => ({ lease, role: roleOfLease(lease) })),
    ...(session && { postgres: await lookInPostgres(outputs, vault, session, revoked, end) }),
  };
}

async function presentLeases(outputs: EnvironmentOutputs, vault: VaultClient): Promise<ReadonlySet<string>> {
  return new Set([...(await leaseIdsByRole(vault, outputs)).values()].flat());
}

/** Leases that were far from their end and are of no role that the AppRole is known to read: its policies may not tell all. */
function liveElsewhere({ look, scope, target }: Revoked): string[] {
  if (target.kind !== "approle") return [];
  return (look.leases ?? [])
    .filter(({ role, ttlSeconds }) => !scope.roles.includes(role) && ttlSeconds > FAR_SECONDS)
    .map(({ id }) => id);
}

/**
 * Once an AppRole's tokens have ended: leases that are on their way, and those of its roles that are not, so that they were
 * not its tokens'. Also of leases that were issued meanwhile.
 */
async function endedWithTokens(
  vault: VaultClient,
  before: Revoked,
  present: ReadonlySet<string>,
): Promise<{ readonly ending: readonly string[]; readonly goOn: readonly string[] }> {
  const { look, scope } = before;
  const givenUp = new Set(look.irrevocable.map(({ id }) => id));
  const elsewhere = new Set(liveElsewhere(before));
  const asked = [...present].filter(
    (id) => !givenUp.has(id) && (scope.roles.includes(roleOfLease(id)) || elsewhere.has(id)),
  );
  const found = await lookUpLeases(vault, asked);
  return {
    ending: found.filter(({ ttlSeconds }) => ttlSeconds <= 0).map(({ id }) => id),
    goOn: found
      .filter(({ role, ttlSeconds }) => ttlSeconds > 0 && scope.roles.includes(role))
      .map(({ id }) => id),
  };
}

async function lookInPostgres(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  { client }: Session,
  { environment, look, scope, target, gone }: Revoked & { readonly gone: readonly string[] },
  end: boolean,
): Promise<NonNullable<Aftermath["postgres"]>> {
  const { known, users, matching }: UsersLook = look.postgres ?? {
    known: await knownNames(outputs, vault),
    users: [],
  };
  const before = {
    ...{ known, users },
    // Where nobody was seen before, all are looked at as they are now.
    ...(look.postgres === undefined
      ? { leases: [] }
      : { leases: look.leases ?? [], leaseIds: look.leaseIds }),
  };
  const present = async () => new Set((await databaseUsers(client, outputs, known)).map(({ oid }) => oid));
  // No lease that has gone tells of a user whose lease was lost.
  const left =
    target.kind === "lease" && matching !== undefined
      ? surplus(matching.together, await present(), new Set(gone))
      : await usersWithoutLease(outputs, vault, client, before, isMeant(outputs, target, scope));
  const now = await present();
  const usersGone = new Set(users.map(({ oid }) => oid).filter((oid) => !now.has(oid)));
  const kept = gone
    .flatMap((id) => matching?.userOfLease.get(id) ?? [])
    .filter(({ oid }) => now.has(oid) && !namedIn(left).some((user) => user.oid === oid));
  const usersLeft = { ...left, certain: [...kept, ...left.certain] };
  const survivors = async () => {
    const sessions = await outlivedSessions(client, outputs.postgres.database);
    // Everything includes what earlier revocations have left; and where nobody was seen before, it cannot be told whose it is.
    return target.kind === "all" || look.postgres === undefined
      ? sessions
      : sessions.filter(({ roleOid }) => usersGone.has(roleOid));
  };
  const found = await survivors();
  const goOn =
    end && (target.kind === "all" || look.postgres !== undefined)
      ? await endAll(client, found, survivors)
      : found;
  return {
    usersGone: usersGone.size,
    usersLeft: namedIn(usersLeft).map(({ name }) => name),
    ...(namedIn(usersLeft).length > 0 && { remedy: endingRemedy(environment, outputs, usersLeft) }),
    sessionsEnded: found.length - goOn.length,
    sessionsLeft: goOn.map(({ pid }) => pid),
  };
}

/**
 * Whether a user is one of those that the target is about. Of a role that others read as well, it cannot be told whose a user
 * without a lease was.
 */
export function isMeant(
  outputs: EnvironmentOutputs,
  target: Target,
  { roles }: Scope,
): (user: DatabaseUser) => boolean {
  if (target.kind === "all") return () => true;
  const ofRole = roles.map((role) => mayBeOf(outputs, role));
  return (user) => ofRole.some((isOf) => isOf(user));
}

/** Of users that cannot be told apart: those that are there, if they have become more than their leases. */
function surplus(
  groups: readonly Together[],
  present: ReadonlySet<number>,
  gone: ReadonlySet<string>,
): UsersWithoutLease {
  const untold = groups.flatMap(({ users, leases }) => {
    const usersNow = users.filter(({ oid }) => present.has(oid));
    const leasesNow = leases.filter(({ id }) => !gone.has(id));
    const allowed = Math.max(0, users.length - leases.length);
    const count = usersNow.length - leasesNow.length - allowed;
    return count > 0 ? [{ users: usersNow, count, role: leases[0]?.role ?? "" }] : [];
  });
  return { certain: [], untold };
}

/** Ends sessions, and returns those that are there all the same. */
async function endAll(
  client: Session["client"],
  found: readonly OutlivedSession[],
  survivors: () => Promise<OutlivedSession[]>,
): Promise<readonly OutlivedSession[]> {
  if (found.length === 0) return [];
  await endSessions(client, found);
  const deadline = Date.now() + TIMEOUT_MS;
  let left = await survivors();
  while (left.length > 0 && Date.now() < deadline) {
    await pause();
    left = await survivors();
  }
  return left;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
}
