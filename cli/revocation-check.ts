import type { EnvironmentOutputs } from "../stacks/outputs";
import { databaseUsers, endSessions, outlivedSessions, type OutlivedSession } from "./database-users";
import type { Inventory } from "./inventory";
import { leaseIdsByRole, lookUpLease } from "./leases";
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
    /** Names of users that should have gone and have not. */
    readonly usersLeft: readonly string[];
    readonly sessionsEnded: number;
    /** Process ids of sessions that go on without their role. */
    readonly sessionsLeft: readonly number[];
  };
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
  before: { readonly inventory: Inventory; readonly scope: Scope; readonly target: Target },
  end: boolean,
  failed: ReadonlySet<string>,
): Promise<Aftermath> {
  const { certain, possible } = before.scope;
  const deadline = Date.now() + TIMEOUT_MS;
  let leasesLeft = await endingLeases(outputs, vault, before.scope);
  while (leasesLeft.some((id) => !failed.has(id)) && Date.now() < deadline) {
    await pause();
    leasesLeft = await endingLeases(outputs, vault, before.scope);
  }
  const present = new Set([...(await leaseIdsByRole(vault, outputs)).values()].flat());
  const gone = [...certain, ...possible.map(({ id }) => id)].filter((id) => !present.has(id));
  return {
    leasesEnded: gone.length,
    leasesLeft,
    ...(session && { postgres: await lookInPostgres(outputs, session, { ...before, gone }, end) }),
  };
}

/** Leases that have to go, and of the possible ones those that are on their way. */
async function endingLeases(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  { certain, possible }: Scope,
): Promise<string[]> {
  const present = new Set([...(await leaseIdsByRole(vault, outputs)).values()].flat());
  const ending = certain.filter((id) => present.has(id));
  for (const { id } of possible.filter((lease) => present.has(lease.id))) {
    const lease = await lookUpLease(vault, id);
    if (lease !== undefined && lease.ttlSeconds <= 0) ending.push(id);
  }
  return ending;
}

async function lookInPostgres(
  outputs: EnvironmentOutputs,
  { client }: Session,
  {
    inventory,
    target,
    gone,
  }: { readonly inventory: Inventory; readonly target: Target; readonly gone: readonly string[] },
  end: boolean,
): Promise<NonNullable<Aftermath["postgres"]>> {
  const users = inventory.postgres?.users ?? [];
  const present = new Set((await databaseUsers(client, outputs, inventory.known)).map(({ oid }) => oid));
  const usersGone = new Set(users.map(({ oid }) => oid).filter((oid) => !present.has(oid)));
  const usersLeft = gone
    .map((id) => inventory.postgres?.userOfLease.get(id))
    .filter((user) => user !== undefined && present.has(user.oid))
    .map((user) => user?.name ?? "");
  const survivors = async () => {
    const sessions = await outlivedSessions(client, outputs.postgres.database);
    // Everything includes what earlier revocations have left.
    return target.kind === "all" ? sessions : sessions.filter(({ roleOid }) => usersGone.has(roleOid));
  };
  const found = await survivors();
  const left = end ? await endAll(client, found, survivors) : found;
  return {
    usersGone: usersGone.size,
    usersLeft: [...usersLeft, ...surplus(inventory.postgres?.together ?? [], present, new Set(gone))],
    sessionsEnded: found.length - left.length,
    sessionsLeft: left.map(({ pid }) => pid),
  };
}

/** Of users that cannot be told apart: those that are there, if they have become more than their leases. */
function surplus(
  groups: readonly Together[],
  present: ReadonlySet<number>,
  gone: ReadonlySet<string>,
): string[] {
  return groups.flatMap(({ users, leases }) => {
    const usersNow = users.filter(({ oid }) => present.has(oid));
    const leasesNow = leases.filter(({ id }) => !gone.has(id));
    const allowed = Math.max(0, users.length - leases.length);
    return usersNow.length - leasesNow.length > allowed ? usersNow.map(({ name }) => name) : [];
  });
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
