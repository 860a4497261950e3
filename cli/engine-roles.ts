import type { EnvironmentOutputs } from "../stacks/outputs";
import { concurrently } from "./concurrently";
import { VaultError, type VaultClient } from "./vault-client";

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
}

/** A static role as the secrets engine has it. */
export interface EngineStaticRole {
  readonly name: string;
  readonly username: string;
  readonly connection: string;
  /** Milliseconds since 1970 of the last new password. */
  readonly rotatedAt: number;
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
    const data = await readIfThere(vault, `${mount}/roles/${name}`);
    return (
      data && {
        name,
        connection: String(data.db_name),
        defaultTtl: Number(data.default_ttl),
        maxTtl: Number(data.max_ttl),
        creation: texts(data.creation_statements),
        renewal: texts(data.renew_statements),
        revocation: texts(data.revocation_statements),
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
    const data = await readIfThere(vault, `${mount}/static-roles/${name}`);
    return (
      data && {
        name,
        username: String(data.username),
        connection: String(data.db_name),
        rotatedAt: Date.parse(String(data.last_vault_rotation)),
      }
    );
  });
  return byName(found);
}

export function isForbidden(error: unknown): boolean {
  return error instanceof VaultError && error.status === 403;
}

async function readIfThere(
  vault: VaultClient,
  path: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return (await vault.read(path)).data ?? undefined;
  } catch (error) {
    if (error instanceof VaultError && error.status === 404) return undefined;
    throw error;
  }
}

function byName<T extends { readonly name: string }>(found: readonly (T | undefined)[]): Map<string, T> {
  return new Map(found.filter((one) => one !== undefined).map((one) => [one.name, one] as const));
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
