import type { EnvironmentOutputs } from "../stacks/outputs";
import { concurrently } from "./concurrently";
import { AnswerFields, VaultError, type VaultClient } from "./vault-client";

/** A role as the secrets engine has it. */
export interface EngineRole {
  readonly name: string;
  readonly connection: string;
  /** Seconds; 0 for the engine's own. */
  readonly defaultTtl: number;
  /** Seconds; 0 for the engine's own. */
  readonly maxTtl: number;
  readonly creation: readonly string[];
  readonly renewal: readonly string[];
  readonly revocation: readonly string[];
  readonly credential: IssuedCredential;
}

/** What an engine issues of a role. */
export interface IssuedCredential {
  /** Such as `password`; empty where the engine does not say. */
  readonly type: string;
  /** Such as the password policy; none for the connection's. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A static role as the secrets engine has it. */
export interface EngineStaticRole {
  readonly name: string;
  readonly username: string;
  readonly connection: string;
  /** Seconds; absent where the engine goes by a schedule. */
  readonly rotationPeriod?: number;
  /** Milliseconds since 1970 of the last new password; absent for one that the engine has not set yet. */
  readonly rotatedAt?: number;
  /** SQL that sets the password; none for the engine's own. */
  readonly rotation: readonly string[];
  readonly credential: IssuedCredential;
}

/** Names that a token may list; undefined where it may not. */
export async function namesBelow(vault: VaultClient, path: string): Promise<string[] | undefined> {
  try {
    return await vault.list(path);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/** Some of an engine's roles; what is not there is left out. */
export async function engineRoles(
  vault: VaultClient,
  mount: string,
  names: readonly string[],
): Promise<Map<string, EngineRole>> {
  const found = await concurrently(names, async (name): Promise<EngineRole | undefined> => {
    const role = await readIfThere(vault, `${mount}/roles/${name}`);
    return (
      role && {
        name,
        connection: role.text("db_name"),
        defaultTtl: role.number("default_ttl"),
        maxTtl: role.number("max_ttl"),
        creation: role.texts("creation_statements"),
        renewal: role.texts("renew_statements"),
        revocation: role.texts("revocation_statements"),
        credential: credentialOf(role),
      }
    );
  });
  return byName(found);
}

/** The declared static roles, and others that the engine has if the token may list them. */
export async function engineStaticRoles(
  vault: VaultClient,
  { vault: { mount }, static_roles = {} }: EnvironmentOutputs,
  listed: readonly string[],
): Promise<Map<string, EngineStaticRole>> {
  const names = [...new Set([...Object.keys(static_roles), ...listed])];
  const found = await concurrently(names, async (name): Promise<EngineStaticRole | undefined> => {
    const role = await readIfThere(vault, `${mount}/static-roles/${name}`);
    return (
      role && {
        ...{ name, username: role.text("username"), connection: role.text("db_name") },
        rotation: role.texts("rotation_statements"),
        credential: credentialOf(role),
        ...(role.optionalNumber("rotation_period") !== undefined && {
          rotationPeriod: role.number("rotation_period"),
        }),
        ...(role.optionalText("last_vault_rotation") !== "" && {
          rotatedAt: role.time("last_vault_rotation"),
        }),
      }
    );
  });
  return byName(found);
}

function credentialOf(role: AnswerFields): IssuedCredential {
  return { type: role.optionalText("credential_type"), config: role.optionalObject("credential_config") };
}

export function isForbidden(error: unknown): boolean {
  return error instanceof VaultError && error.status === 403;
}

/** Whether the server has put a request off that was not to wait for its turn. */
export function isLimited(error: unknown): boolean {
  return error instanceof VaultError && error.status === 429;
}

export function isNotThere(error: unknown): boolean {
  return error instanceof VaultError && error.status === 404;
}

/** Undefined where there is nothing at the path. */
export async function readIfThere(vault: VaultClient, path: string): Promise<AnswerFields | undefined> {
  try {
    return new AnswerFields(`GET ${path}`, (await vault.read(path)).data);
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

function byName<T extends { readonly name: string }>(found: readonly (T | undefined)[]): Map<string, T> {
  return new Map(found.filter((one) => one !== undefined).map((one) => [one.name, one] as const));
}
