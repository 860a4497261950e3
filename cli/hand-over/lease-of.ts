import type { Client } from "pg";
import type { EnvironmentOutputs } from "../../stacks/outputs";
import { knownNames } from "../inventory";
import { takeUsers, type Before } from "../left-users";
import { match, parseUserName } from "../matching";
import type { VaultClient } from "../vault-client";
import type { EndedUser } from "./ended-users";

/** `none` for a user that Vault has no lease of, `untold` where it cannot be told for certain which one is the user's. */
export type LeaseOfUser = { readonly id: string } | "none" | "untold";

/**
 * Tells of one user after the other which lease is its, also if Vault has given up on it. A lease does not name its user: so all users
 * and leases are looked at, for the only lease near the user's time may be that of another, who is using it. Each lease is looked up
 * once.
 */
export function leaseFinder(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  client: Client,
): (user: EndedUser) => Promise<LeaseOfUser> {
  let before: Before | undefined;
  return async (user) => {
    if (parseUserName(user.name) === undefined) return "untold";
    const known = before?.known ?? (await knownNames(outputs, vault));
    before = await takeUsers(outputs, vault, client, known, before?.leases);
    return leaseOf(outputs, before, user);
  };
}

function leaseOf(outputs: EnvironmentOutputs, { users, leases }: Before, user: EndedUser): LeaseOfUser {
  const isUser = ({ name }: { readonly name: string }) => name === user.name;
  const { userOfLease, usersWithoutLease, together } = match(outputs, users, leases);
  const [own] = [...userOfLease].find(([, found]) => isUser(found)) ?? [];
  if (own !== undefined) return { id: own };
  if (usersWithoutLease.some(isUser)) return "none";
  const group = together.find((found) => found.users.some(isUser));
  // Of several that were made at once, it is the one that Vault is revoking, if one user of them is shut.
  const shut = group?.users.filter((found) => found.shut !== undefined) ?? [];
  const [ending, ...others] = group?.leases.filter(({ ttlSeconds }) => ttlSeconds <= 0) ?? [];
  return shut.length === 1 && ending !== undefined && others.length === 0 ? { id: ending.id } : "untold";
}

/** Whether a user is in PostgreSQL still. */
export async function isThere(client: Client, { name }: EndedUser): Promise<boolean> {
  const sql = "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1";
  return (await client.query(sql, [name])).rows.length > 0;
}
