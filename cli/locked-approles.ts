import type { EnvironmentOutputs } from "../stacks/outputs";
import { isForbidden, isNotThere } from "./engine-roles";
import { type VaultClient } from "./vault-client";

/** An AppRole that failed logins have locked out, so that Vault refuses its good SecretIDs as well. */
export interface LockedAppRole {
  readonly name: string;
  /** API path that unlocks it. */
  readonly unlockPath: string;
}

interface LockedUsers {
  readonly by_namespace?: readonly {
    readonly mount_accessors?: readonly {
      readonly mount_accessor: string;
      readonly alias_identifiers?: readonly string[];
    }[];
  }[];
}

/** The environment's AppRoles that are locked out; undefined where the token may not look. */
export async function lockedAppRoles(
  vault: VaultClient,
  { approles }: EnvironmentOutputs,
): Promise<LockedAppRole[] | undefined> {
  let locked: LockedUsers;
  try {
    locked = (await vault.read("sys/locked-users")).data ?? {};
  } catch (error) {
    if (isForbidden(error)) return undefined;
    // An older server does not lock anybody out.
    if (isNotThere(error)) return [];
    throw error;
  }
  const byRoleId = new Map(Object.entries(approles).map(([name, { role_id }]) => [role_id, name]));
  return (locked.by_namespace ?? [])
    .flatMap(({ mount_accessors = [] }) => mount_accessors)
    .flatMap(({ mount_accessor, alias_identifiers = [] }) =>
      alias_identifiers.flatMap((id) => {
        const name = byRoleId.get(id);
        return name === undefined
          ? []
          : [{ name, unlockPath: `sys/locked-users/${mount_accessor}/unlock/${id}` }];
      }),
    );
}
