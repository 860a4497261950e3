import type { EnvironmentOutputs } from "../stacks/outputs";
import { concurrently } from "./concurrently";
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
/**
 * The leases that there are now.
 *
 * @param known of an earlier look: those that are still there are not looked up again
 * @param except ids of leases that are left out
 */
export async function leasesNow(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  known: readonly Lease[] = [],
  except: ReadonlySet<string> = new Set(),
): Promise<Lease[]> {
  const listed = [...(await leaseIdsByRole(vault, outputs)).values()].flat();
  const ids = new Set(listed.filter((id) => !except.has(id)));
  const stillThere = known.filter(({ id }) => ids.has(id));
  stillThere.forEach(({ id }) => ids.delete(id));
  return [...stillThere, ...(await lookUpLeases(vault, [...ids]))];
}

/** Leases of two looks, each once. */
export function leasesOfBoth(before: readonly Lease[], after: readonly Lease[]): Lease[] {
  return [...new Map([...before, ...after].map((lease) => [lease.id, lease])).values()];
}

export async function irrevocableLeases(vault: VaultClient, mount: string): Promise<IrrevocableLease[]> {
  const { data } = await vault.read("sys/leases", { type: "irrevocable" });
  return new AnswerFields("sys/leases", data)
    .objects("leases")
    .map((lease) => ({ id: lease.text("lease_id"), error: lease.optionalText("error") }))
    .filter(({ id }) => id.startsWith(`${mount}/`));
}
