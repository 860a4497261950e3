import type { EnvironmentOutputs } from "../stacks/outputs";
import { concurrently } from "./concurrently";
import {
  databaseUsers,
  outlivedSessions,
  type DatabaseUser,
  type KnownNames,
  type OutlivedSession,
} from "./database-users";
import { secretIdAccessors } from "./end-group";
import { engineStaticRoles, namesBelow, type EngineStaticRole } from "./engine-roles";
import { groupTokens, type GroupToken } from "./group-tokens";
import {
  irrevocableLeases,
  leasesNow,
  leasesOfBoth,
  lookUpLeases,
  type IrrevocableLease,
  type Lease,
} from "./leases";
import { match, type Matching } from "./matching";
import type { Session } from "./postgres-login";
import { AnswerFields, VaultError, type VaultClient } from "./vault-client";

/** What Vault and PostgreSQL hold for an environment at a moment. */
export interface Inventory {
  readonly connections: readonly Connection[];
  /** Live leases of the environment's roles, and of those that other stacks have on its engine. */
  readonly leases: readonly Lease[];
  readonly irrevocable: readonly IrrevocableLease[];
  readonly tokens: readonly GroupToken[];
  /** Number of SecretIDs by AppRole. */
  readonly secretIds: ReadonlyMap<string, number>;
  /** AppRoles that are declared and not there. */
  readonly missingAppRoles: readonly string[];
  /** Whether the auth method itself is not there. */
  readonly lacksAuthMethod: boolean;
  /** Static roles that the engine has, by name: declared ones, and all if the token may list them. */
  readonly staticRoles: ReadonlyMap<string, EngineStaticRole>;
  /** Whether the token may list the engine's static roles. */
  readonly staticRolesListed: boolean;
  /** What the engine's users are known by. */
  readonly known: KnownNames;
  /** Absent where there was no login of PostgreSQL to look with. */
  readonly postgres?: PostgresInventory;
}

export interface Connection {
  readonly name: string;
  /** Roles that it issues for; none after a drain. */
  readonly allowedRoles: readonly string[];
  /** Template of its users' names; empty for the engine's own. */
  readonly usernameTemplate: string;
  /** With placeholders for the login; empty where the engine does not say. */
  readonly url: string;
  /** Login that it uses; empty where the engine does not say. */
  readonly username: string;
  /** Name of the policy by which it makes passwords; empty for the engine's own. */
  readonly passwordPolicy: string;
  /** Such as `scram-sha-256`; empty where the engine does not say. */
  readonly passwordAuthentication: string;
  readonly disableEscaping: boolean;
  /** SQL that sets its own password; absent where the engine does not say. */
  readonly rootRotation?: readonly string[];
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
  const before = await leasesNow(outputs, vault, [], given);
  const found = await connections(vault, mount);
  const own = found.find(({ name }) => name === outputs.vault.connection);
  const { staticRoles, isListed } = await staticRolesOf(outputs, vault);
  const known = namesKnownBy(own, staticRoles, isListed);
  const users = session && (await databaseUsers(session.client, outputs, known));
  // A credential that is issued or revoked just now is in one list and not in the other, and is no finding.
  const after = users && (await leasesNow(outputs, vault, before, given));
  // Vault has given up on these, and their users may be there still.
  const givenUp = users && (await lookUpLeases(vault, [...given]));
  const secretIds = await countSecretIds(outputs, vault);
  const counts = secretIds ?? Object.keys(outputs.approles).map((name) => [name, undefined] as const);
  return {
    connections: found,
    leases: after ?? before,
    irrevocable,
    tokens: await groupTokens(vault, approle_mount),
    secretIds: new Map(
      counts.flatMap(([name, count]) => (count === undefined ? [] : [[name, count] as const])),
    ),
    lacksAuthMethod: secretIds === undefined,
    missingAppRoles: counts.filter(([, count]) => count === undefined).map(([name]) => name),
    staticRoles,
    staticRolesListed: isListed,
    known,
    ...(session &&
      users && {
        postgres: {
          users,
          ...settled(
            match(outputs, users, leasesOfBoth([...before, ...(givenUp ?? [])], after ?? [])),
            before,
            after ?? [],
          ),
          outlivedSessions: await outlivedSessions(session.client, outputs.postgres.database),
        },
      }),
  };
}

/** Leases without a user are those that were there before and after the look at the users. */
function settled(matching: Matching, before: readonly Lease[], after: readonly Lease[]): Matching {
  const lists = [before, after].map((leases) => new Set(leases.map(({ id }) => id)));
  const inBoth = ({ id }: Lease) => lists.every((ids) => ids.has(id));
  return { ...matching, leasesWithoutUser: matching.leasesWithoutUser.filter(inBoth) };
}

/** What the names of the environment's users begin with; empty where that is no sign of its connection. */
export async function namePrefix({ vault: { mount, connection } }: EnvironmentOutputs, vault: VaultClient) {
  const names = await namesBelow(vault, `${mount}/config`);
  // What deploys may read a connection, and list none.
  const isThere = names === undefined || names.includes(connection);
  return prefixOf(isThere ? await connectionNamed(vault, mount, connection) : undefined);
}

/** What the engine's users are known by, without the rest of an inventory. */
export async function knownNames(outputs: EnvironmentOutputs, vault: VaultClient): Promise<KnownNames> {
  const { staticRoles, isListed } = await staticRolesOf(outputs, vault);
  return { ...namesKnownBy(undefined, staticRoles, isListed), prefix: await namePrefix(outputs, vault) };
}

async function staticRolesOf(outputs: EnvironmentOutputs, vault: VaultClient) {
  const listed = await namesBelow(vault, `${outputs.vault.mount}/static-roles`);
  return {
    staticRoles: await engineStaticRoles(vault, outputs, listed ?? []),
    isListed: listed !== undefined,
  };
}

function namesKnownBy(
  connection: Connection | undefined,
  staticRoles: ReadonlyMap<string, EngineStaticRole>,
  areAllStaticLogins: boolean,
): KnownNames {
  return {
    prefix: prefixOf(connection),
    staticLogins: [...staticRoles.values()].map(({ username }) => username),
    areAllStaticLogins,
  };
}

async function connections(vault: VaultClient, mount: string): Promise<Connection[]> {
  const names = await vault.list(`${mount}/config`);
  return concurrently(names, (name) => connectionNamed(vault, mount, name));
}

async function connectionNamed(vault: VaultClient, mount: string, name: string): Promise<Connection> {
  const path = `${mount}/config/${name}`;
  const { data } = await vault.read(path);
  const fields = new AnswerFields(path, data);
  const details = (data?.connection_details ?? {}) as Readonly<Record<string, unknown>>;
  const detail = (field: string) => {
    const value = details[field];
    return typeof value === "string" ? value : "";
  };
  return {
    name,
    allowedRoles: fields.texts("allowed_roles"),
    usernameTemplate: detail("username_template"),
    url: detail("connection_url"),
    username: detail("username"),
    passwordPolicy: fields.optionalText("password_policy"),
    passwordAuthentication: detail("password_authentication"),
    disableEscaping: [true, "true"].includes(details.disable_escaping as boolean | string),
    ...(data?.root_credentials_rotate_statements !== undefined && {
      rootRotation: fields.texts("root_credentials_rotate_statements"),
    }),
  };
}

/** How only this connection's names begin: the template that a connection has by default holds six characters of its own. */
function prefixOf(connection: Connection | undefined): string {
  return /^v-[0-9a-f]{6}-(?=\{\{)/.exec(connection?.usernameTemplate ?? "")?.[0] ?? "";
}

/**
 * Undefined for an AppRole that is not there, and altogether where the auth method is not, which is no reason not to look at,
 * or to end, everything else.
 */
async function countSecretIds(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
): Promise<readonly (readonly [name: string, count: number | undefined])[] | undefined> {
  const mount = outputs.vault.approle_mount;
  try {
    return await concurrently(
      Object.keys(outputs.approles),
      async (name) => [name, (await secretIdAccessors(vault, { mount, name }))?.length] as const,
    );
  } catch (error) {
    const isNoMount = error instanceof VaultError && error.status === 404;
    if (isNoMount && error.message.includes("no handler for route")) return undefined;
    throw error;
  }
}
