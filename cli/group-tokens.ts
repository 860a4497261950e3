import { concurrently } from "./concurrently";
import { VaultError, type VaultClient } from "./vault-client";

/** A token that an AppRole got by logging in, known by its accessor. */
export interface GroupToken {
  readonly accessor: string;
  /** Name of the AppRole. */
  readonly approle: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/**
 * Tokens of the AppRoles of an auth method. Batch tokens have no accessor and are not among them.
 *
 * @param mount path of the auth method below `auth/`
 */
export async function groupTokens(vault: VaultClient, mount: string): Promise<GroupToken[]> {
  const accessors = await vault.list("auth/token/accessors");
  const tokens = await concurrently(accessors, (accessor) => lookUp(vault, accessor));
  return tokens.flatMap((token) => (token?.path === `auth/${mount}/login` ? [token] : []));
}

async function lookUp(
  vault: VaultClient,
  accessor: string,
): Promise<(GroupToken & { readonly path: unknown }) | undefined> {
  try {
    const { data } = await vault.write("auth/token/lookup-accessor", { accessor });
    const meta = (data?.meta ?? {}) as { role_name?: string };
    return {
      accessor,
      approle: meta.role_name ?? "",
      createdAt: Number(data?.creation_time) * 1_000,
      path: data?.path,
    };
  } catch (error) {
    // "invalid accessor": the token ended in the meantime.
    if (error instanceof VaultError && error.status === 400) return undefined;
    throw error;
  }
}
