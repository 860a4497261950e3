import type { EnvironmentOutputs } from "../stacks/outputs";
import { concurrently } from "./concurrently";
import { describeError } from "./errors";
import { isRefused, type Change } from "./first-change";
import { AnswerFields, VaultError, type VaultClient } from "./vault-client";

/** A credential's lease, as far as Vault tells: neither its user's name nor whose token it belongs to. */
export interface Lease {
  readonly id: string;
  /** Name of the role in the secrets engine. */
  readonly role: string;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Left, by the server's clock; 0 or less once it is being revoked. */
  readonly ttlSeconds: number;
}

/** A lease whose revocation has failed for good: its user may be there still. */
export interface IrrevocableLease {
  readonly id: string;
  readonly error: string;
}

/** API path below which the leases of a role are. */
export function leasesPath({ vault }: EnvironmentOutputs, role: string): string {
  return `${vault.mount}/creds/${role}`;
}

/** Name of the role that a lease is of. */
export function roleOfLease(id: string): string {
  return id.split("/").at(-2) ?? "";
}

/**
 * Ids of the leases of each role of an environment, and of the roles that other stacks have on its engine, if they have
 * any.
 */
export async function leaseIdsByRole(
  vault: VaultClient,
  outputs: EnvironmentOutputs,
): Promise<Map<string, string[]>> {
  const prefix = `${outputs.vault.mount}/creds`;
  const inUse = (await vault.list(`sys/leases/lookup/${prefix}`)).map((key) => key.replace(/\/$/, ""));
  const found = await concurrently(
    [...new Set([...Object.keys(outputs.roles), ...inUse])],
    async (role): Promise<[string, string[]]> => {
      const keys = await vault.list(`sys/leases/lookup/${prefix}/${role}`);
      return [role, keys.map((key) => `${prefix}/${role}/${key}`)];
    },
  );
  return new Map(found);
}

/** Ids of the leases below a path, such as `orders-dev/database/creds`. */
export async function leaseIdsBelow(
  vault: VaultClient,
  outputs: EnvironmentOutputs,
  prefix: string,
): Promise<string[]> {
  const ids = [...(await leaseIdsByRole(vault, outputs)).values()].flat();
  return ids.filter((id) => id.startsWith(`${prefix}/`));
}

/** A lease that Vault could not revoke. */
export interface UnrevokedLease {
  readonly id: string;
  readonly error: string;
}

/**
 * Revokes all leases below a path, and returns when they are revoked. Thousands take longer than one request may: it asks
 * again for as long as there become fewer. An engine that is asked for all of them stops at the first that it cannot revoke:
 * then each is asked for by itself, so that one keeps no other alive.
 *
 * @returns those that Vault could not revoke
 * @throws VaultError and others if Vault refuses the request, or cannot say what is left
 */
export async function revokeBelow(
  vault: VaultClient,
  outputs: EnvironmentOutputs,
  prefix: string,
  change: Change,
): Promise<readonly UnrevokedLease[]> {
  for (let before = Infinity; ;) {
    try {
      await change(() => vault.done(`sys/leases/revoke-prefix/${prefix}`, { sync: true }));
      return [];
    } catch (error) {
      if (isRefused(error)) throw error;
      const left = await leaseIdsBelow(vault, outputs, prefix);
      if (left.length === 0) return [];
      if (left.length >= before) {
        // Who deploys and destroys may revoke all of them, and none by itself.
        return await revokeEach(vault, left, change).catch((refusal: unknown) => {
          throw isRefused(refusal) ? error : refusal;
        });
      }
      before = left.length;
    }
  }
}

/** Those that wait too long behind one that fails are tried again, for as long as there become fewer. */
async function revokeEach(
  vault: VaultClient,
  ids: readonly string[],
  change: Change,
): Promise<readonly UnrevokedLease[]> {
  const answers = await concurrently(ids, async (id): Promise<UnrevokedLease | undefined> => {
    try {
      await change(() => vault.done("sys/leases/revoke", { lease_id: id, sync: true }));
      return undefined;
    } catch (error) {
      if (isRefused(error)) throw error;
      return { id, error: describeError(error) };
    }
  });
  const failed = answers.filter((answer) => answer !== undefined);
  if (failed.length === 0 || failed.length === ids.length) return failed;
  return revokeEach(
    vault,
    failed.map(({ id }) => id),
    change,
  );
}

/** The lease; undefined if it is gone. */
export async function lookUpLease(vault: VaultClient, id: string): Promise<Lease | undefined> {
  const path = "sys/leases/lookup";
  try {
    const { data } = await vault.write(path, { lease_id: id });
    const lease = new AnswerFields(path, data);
    return {
      id,
      role: roleOfLease(id),
      issuedAt: lease.time("issue_time"),
      expiresAt: lease.time("expire_time"),
      ttlSeconds: lease.number("ttl"),
    };
  } catch (error) {
    // It ended in the meantime.
    const isGone =
      error instanceof VaultError && error.errors.some((words) => words.includes("invalid lease"));
    if (isGone && error.status === 400) return undefined;
    throw error;
  }
}

/** Looks many leases up; those that are gone are left out. */
export async function lookUpLeases(vault: VaultClient, ids: readonly string[]): Promise<Lease[]> {
  const leases = await concurrently(ids, (id) => lookUpLease(vault, id));
  return leases.filter((lease) => lease !== undefined);
}

/** Leases of a secrets engine that Vault has given up to revoke. */
export async function irrevocableLeases(vault: VaultClient, mount: string): Promise<IrrevocableLease[]> {
  const { data } = await vault.read("sys/leases", { type: "irrevocable" });
  return new AnswerFields("sys/leases", data)
    .objects("leases")
    .map((lease) => ({ id: lease.text("lease_id"), error: lease.optionalText("error") }))
    .filter(({ id }) => id.startsWith(`${mount}/`));
}
