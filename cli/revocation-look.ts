import type { EnvironmentOutputs } from "../stacks/outputs";
import { databaseUsers, type DatabaseUser, type KnownNames } from "./database-users";
import { secretIdAccessors } from "./end-group";
import { isForbidden, isLimited, isNotThere, namesBelow, readIfThere } from "./engine-roles";
import { TokenLook, type GroupToken } from "./group-tokens";
import { knownNames } from "./inventory";
import { irrevocableLeases, leaseIdsByRole, lookUpLeases, type IrrevocableLease, type Lease } from "./leases";
import { match, type Matching } from "./matching";
import type { Session } from "./postgres-login";
import type { Target } from "./revocation-target";
import type { AnswerFields, VaultClient } from "./vault-client";

/** What a revocation has to know before it begins: no more than that, for each request puts off the first thing that ends. */
export interface RevocationLook {
  /** Ids of all the engine's leases, with those that Vault has given up to revoke. */
  readonly leaseIds: readonly string[];
  readonly irrevocable: readonly IrrevocableLease[];
  /** Leases with their times; absent where it would have taken long to ask for each. */
  readonly leases?: readonly Lease[];
  /** Of the AppRole that is to be ended, and of others that may read the same; none for other targets. */
  readonly group?: GroupLook;
  /** Absent where there was no login of PostgreSQL to look with. */
  readonly postgres?: UsersLook;
}

/** What is known of an AppRole that is to be ended. */
export interface GroupLook {
  readonly tokens: readonly GroupToken[];
  /** By which they were seen, to look again. */
  readonly look?: TokenLook;
  readonly secretIds: number;
  /** Names of the policies that its tokens get; absent where it is not there, or the token may not read it. */
  readonly policies?: readonly string[];
  /** Whether it hands out batch tokens, of which there is no list, and which nobody can revoke. */
  readonly hasBatchTokens: boolean;
}

/** PostgreSQL's users, and what can be told of their leases. */
export interface UsersLook {
  readonly known: KnownNames;
  readonly users: readonly DatabaseUser[];
  /** Absent where the leases were not asked for. */
  readonly matching?: Matching;
}

/** More take seconds, one request each. */
const MOST_LOOKED_UP = 2_000;

export async function lookBefore(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  session: Session | undefined,
  target: Target,
): Promise<RevocationLook> {
  // Vault has no lease of what is not there, in another namespace, say, and says nothing of it.
  await namesBelow(vault, `${outputs.vault.mount}/config`);
  const irrevocable = await irrevocableLeases(vault, outputs.vault.mount);
  const group = target.kind === "approle" ? await lookAtGroup(outputs, vault, target.name) : undefined;
  const found = await usersAndLeases(outputs, vault, session, group !== undefined);
  const givenUp = irrevocable
    .map(({ id }) => id)
    .filter((id) => id.startsWith(`${outputs.vault.mount}/creds/`));
  return {
    ...{ ...found, irrevocable, leaseIds: [...new Set([...found.leaseIds, ...givenUp])] },
    ...(group && { group }),
  };
}

/** The leases that there are, and the users beside them; each lease's times only where that is quick. */
export async function usersAndLeases(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  session: Session | undefined,
  needsTimes = session !== undefined,
): Promise<Pick<RevocationLook, "leaseIds" | "leases" | "postgres">> {
  const before = await allLeaseIds(outputs, vault);
  const timesBefore = needsTimes || session ? await timesOf(vault, before) : undefined;
  if (session === undefined) return { leaseIds: before, ...(timesBefore && { leases: timesBefore }) };
  const known = await knownNames(outputs, vault);
  const users = await databaseUsers(session.client, outputs, known);
  // A credential that is issued just now has its user before its lease.
  const added = (await allLeaseIds(outputs, vault)).filter((id) => !before.includes(id));
  const timesAdded = timesBefore && (await timesOf(vault, added));
  const leases = timesBefore && timesAdded && [...timesBefore, ...timesAdded];
  return {
    leaseIds: [...before, ...added],
    ...(leases && { leases }),
    postgres: { known, users, ...(leases && { matching: match(outputs, users, leases) }) },
  };
}

async function allLeaseIds(outputs: EnvironmentOutputs, vault: VaultClient): Promise<string[]> {
  return [...(await leaseIdsByRole(vault, outputs)).values()].flat();
}

/** Undefined for too many, or where the server limits the rate of requests. */
async function timesOf(vault: VaultClient, ids: readonly string[]): Promise<Lease[] | undefined> {
  if (ids.length > MOST_LOOKED_UP) return undefined;
  try {
    return await lookUpLeases(vault.withoutWaiting(), ids);
  } catch (error) {
    if (isLimited(error)) return undefined;
    throw error;
  }
}

async function lookAtGroup(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  name: string,
): Promise<GroupLook> {
  const mount = outputs.vault.approle_mount;
  const approle = await appRole(vault, `auth/${mount}/role/${name}`);
  const look = new TokenLook(vault, mount);
  const declared = Object.hasOwn(outputs.approles, name) ? outputs.approles[name]?.settings : undefined;
  const types = [declared?.token_type ?? "", approle?.text("token_type") ?? ""];
  return {
    secretIds: (await secretIdAccessors(vault, { mount, name }).catch(noMount))?.length ?? 0,
    ...(approle && { policies: approle.texts("token_policies") }),
    // Those that it was declared with may have handed some out before it was changed.
    hasBatchTokens: types.some((type) => type.includes("batch")),
    ...{ look, tokens: await look.now() },
  };
}

/** Undefined where it is not there, or the token may not read it. */
async function appRole(vault: VaultClient, path: string): Promise<AnswerFields | undefined> {
  try {
    return await readIfThere(vault, path);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/** Where the auth method is not there any more, its tokens may be. */
function noMount(error: unknown): undefined {
  if (isNotThere(error)) return undefined;
  throw error;
}
