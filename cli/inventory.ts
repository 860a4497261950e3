import type { EnvironmentOutputs } from "../stacks/outputs";
import { concurrently } from "./concurrently";
import { databaseUsers, outlivedSessions, type DatabaseUser, type OutlivedSession } from "./database-users";
import { secretIdAccessors } from "./end-group";
import { groupTokens, type GroupToken } from "./group-tokens";
import { irrevocableLeases, leaseIdsByRole, lookUpLeases, type IrrevocableLease, type Lease } from "./leases";
import { match, type Matching } from "./matching";
import type { Session } from "./postgres-login";
import { AnswerFields, type VaultClient } from "./vault-client";

/** What Vault and PostgreSQL hold for an environment at a moment. */
export interface Inventory {
  readonly connections: readonly Connection[];
  /** Live leases of the environment's roles, and of those that other stacks have on its engine. */
  readonly leases: readonly Lease[];
  readonly irrevocable: readonly IrrevocableLease[];
  readonly tokens: readonly GroupToken[];
  /** Number of SecretIDs by AppRole. */
  readonly secretIds: ReadonlyMap<string, number>;
  /** Milliseconds since 1970 of the last new password by static role. */
  readonly rotations: ReadonlyMap<string, number>;
  /** Absent where there was no login of PostgreSQL to look with. */
  readonly postgres?: PostgresInventory;
}

export interface Connection {
  readonly name: string;
  /** Roles that it issues for; none after a drain. */
  readonly allowedRoles: readonly string[];
}

export interface PostgresInventory extends Matching {
  readonly users: readonly DatabaseUser[];
  readonly outlivedSessions: readonly OutlivedSession[];
}

/** Looks at everything; changes nothing. */
export async function takeInventory(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  session: Session | undefined,
): Promise<Inventory> {
  const { mount, approle_mount } = outputs.vault;
  const irrevocable = await irrevocableLeases(vault, mount);
  const given = new Set(irrevocable.map(({ id }) => id));
  const before = await liveLeases(outputs, vault, given);
  const users = session && (await databaseUsers(session.client, outputs));
  // A credential that is issued or revoked just now is in one list and not in the other, and is no finding.
  const after = users && (await liveLeases(outputs, vault, given, before));
  return {
    connections: await connections(vault, mount),
    leases: after ?? before,
    irrevocable,
    tokens: await groupTokens(vault, approle_mount),
    secretIds: await countSecretIds(outputs, vault),
    rotations: await lastRotations(outputs, vault),
    ...(session &&
      users && {
        postgres: {
          users,
          ...settled(match(outputs, users, union(before, after ?? [])), before, after ?? []),
          outlivedSessions: await outlivedSessions(session.client, outputs.postgres.database),
        },
      }),
  };
}

async function liveLeases(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  irrevocable: ReadonlySet<string>,
  known: readonly Lease[] = [],
): Promise<Lease[]> {
  const listed = [...(await leaseIdsByRole(vault, outputs)).values()].flat();
  const ids = new Set(listed.filter((id) => !irrevocable.has(id)));
  const stillThere = known.filter(({ id }) => ids.has(id));
  stillThere.forEach(({ id }) => ids.delete(id));
  return [...stillThere, ...(await lookUpLeases(vault, [...ids]))];
}

function union(before: readonly Lease[], after: readonly Lease[]): Lease[] {
  return [...new Map([...before, ...after].map((lease) => [lease.id, lease])).values()];
}

/** Leases without a user are those that were there before and after the look at the users. */
function settled(matching: Matching, before: readonly Lease[], after: readonly Lease[]): Matching {
  const lists = [before, after].map((leases) => new Set(leases.map(({ id }) => id)));
  const inBoth = ({ id }: Lease) => lists.every((ids) => ids.has(id));
  return { ...matching, leasesWithoutUser: matching.leasesWithoutUser.filter(inBoth) };
}

async function connections(vault: VaultClient, mount: string): Promise<Connection[]> {
  const names = await vault.list(`${mount}/config`);
  return concurrently(names, async (name) => {
    const path = `${mount}/config/${name}`;
    const { data } = await vault.read(path);
    return { name, allowedRoles: new AnswerFields(path, data).texts("allowed_roles") };
  });
}

async function countSecretIds(outputs: EnvironmentOutputs, vault: VaultClient): Promise<Map<string, number>> {
  const mount = outputs.vault.approle_mount;
  const counts = await concurrently(
    Object.keys(outputs.approles),
    async (name): Promise<[string, number]> => [
      name,
      (await secretIdAccessors(vault, { mount, name })).length,
    ],
  );
  return new Map(counts);
}

async function lastRotations(outputs: EnvironmentOutputs, vault: VaultClient): Promise<Map<string, number>> {
  const rotations = await concurrently(
    Object.keys(outputs.static_roles ?? {}),
    async (name): Promise<[string, number][]> => {
      const path = `${outputs.vault.mount}/static-roles/${name}`;
      const { data = {} } = await vault.read(path);
      // The engine leaves it out for a password that it has not set yet.
      if (data?.last_vault_rotation === undefined) return [];
      return [[name, new AnswerFields(path, data).time("last_vault_rotation")]];
    },
  );
  return new Map(rotations.flat());
}
