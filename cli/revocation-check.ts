import type { EnvironmentOutputs } from "../stacks/outputs";
import {
  databaseUsers,
  endSessions,
  outlivedSessions,
  type DatabaseUser,
  type OutlivedSession,
} from "./database-users";
import type { Inventory } from "./inventory";
import { leaseIdsByRole, lookUpLease, lookUpLeases } from "./leases";
import { endingRemedy, mayBeOf, namedIn, usersWithoutLease, type UsersWithoutLease } from "./left-users";
import type { Together } from "./matching";
import type { Session } from "./postgres-login";
import type { Scope, Target } from "./revocation-target";
import type { VaultClient } from "./vault-client";

/** How long Vault may take to end what it has been told to. */
const TIMEOUT_MS = 20_000;
const INTERVAL_MS = 100;

/** What is there after a revocation. */
export interface Aftermath {
  /** How many leases have gone. */
  readonly leasesEnded: number;
  /** Ids of leases that should have gone and have not. */
  readonly leasesLeft: readonly string[];
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
  readonly inventory: Inventory;
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
  const { certain, possible } = before.scope;
  const deadline = Date.now() + TIMEOUT_MS;
  let leasesLeft = await endingLeases(outputs, vault, before.scope, failed);
  // Nobody is at those that Vault has given up on.
  const settled = new Set([...failed, ...before.inventory.irrevocable.map(({ id }) => id)]);
  while (leasesLeft.some((id) => !settled.has(id)) && Date.now() < deadline) {
    await pause();
    leasesLeft = await endingLeases(outputs, vault, before.scope, failed);
  }
  const present = new Set([...(await leaseIdsByRole(vault, outputs)).values()].flat());
  const gone = [...certain, ...possible.map(({ id }) => id)].filter((id) => !present.has(id));
  return {
    leasesEnded: gone.length,
    leasesLeft,
    ...(session && { postgres: await lookInPostgres(outputs, vault, session, { ...before, gone }, end) }),
  };
}

/** Leases that have to go, and of the possible ones those that are on their way; also of those that were issued meanwhile. */
async function endingLeases(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  { certain, possible }: Scope,
  failed: ReadonlySet<string>,
): Promise<string[]> {
  const present = new Set([...(await leaseIdsByRole(vault, outputs)).values()].flat());
  const ending = [...new Set([...certain, ...failed])].filter((id) => present.has(id));
  for (const { id } of possible.filter((lease) => present.has(lease.id))) {
    const lease = await lookUpLease(vault, id);
    if (lease !== undefined && lease.ttlSeconds <= 0) ending.push(id);
  }
  return ending;
}

async function lookInPostgres(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  { client }: Session,
  { environment, inventory, scope, target, gone }: Revoked & { readonly gone: readonly string[] },
  end: boolean,
): Promise<NonNullable<Aftermath["postgres"]>> {
  const users = inventory.postgres?.users ?? [];
  const before = {
    known: inventory.known,
    leases:
      inventory.postgres === undefined
        ? []
        : [
            ...inventory.leases,
            ...(await lookUpLeases(
              vault,
              inventory.irrevocable.map(({ id }) => id),
            )),
          ],
    users,
  };
  const present = async () =>
    new Set((await databaseUsers(client, outputs, inventory.known)).map(({ oid }) => oid));
  // No lease that has gone tells of a user whose lease was lost.
  const left =
    target.kind === "lease" && inventory.postgres !== undefined
      ? surplus(inventory.postgres.together, await present(), new Set(gone))
      : await usersWithoutLease(outputs, vault, client, before, isMeant(outputs, target, scope));
  const now = await present();
  const usersGone = new Set(users.map(({ oid }) => oid).filter((oid) => !now.has(oid)));
  const kept = gone
    .flatMap((id) => inventory.postgres?.userOfLease.get(id) ?? [])
    .filter(({ oid }) => now.has(oid) && !namedIn(left).some((user) => user.oid === oid));
  const usersLeft = { ...left, certain: [...kept, ...left.certain] };
  const survivors = async () => {
    const sessions = await outlivedSessions(client, outputs.postgres.database);
    // Everything includes what earlier revocations have left; and where nobody was seen before, it cannot be told whose it is.
    return target.kind === "all" || inventory.postgres === undefined
      ? sessions
      : sessions.filter(({ roleOid }) => usersGone.has(roleOid));
  };
  const found = await survivors();
  const goOn =
    end && (target.kind === "all" || inventory.postgres !== undefined)
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
