import type { VaultClient } from "../cli/vault-client";
import type { Sandbox } from "./sandbox";

/** What to look at: a sandbox, or one whose Vault is another. */
export type Servers = Pick<Sandbox, "postgres"> & { readonly vault: { client(): VaultClient } };

/** What stands in both servers, by name, such as `policy orders-local/database/creds/reader`. */
export type Snapshot = ReadonlySet<string>;

/** Looks with all rights, so that nothing is overlooked for want of them. */
export async function takeSnapshot({ vault: server, postgres }: Servers): Promise<Snapshot> {
  const vault = server.client();
  const [mounts, auths, policies] = await Promise.all([
    vault.read("sys/mounts"),
    vault.read("sys/auth"),
    vault.list("sys/policies/acl"),
  ]);
  const found = [
    ...Object.keys(mounts.data ?? {}).map((name) => `secrets engine ${name}`),
    ...Object.keys(auths.data ?? {}).map((name) => `auth method ${name}`),
    ...policies.map((name) => `policy ${name}`),
  ];
  const superuser = await postgres.connect();
  try {
    const { rows } = await superuser.query<{ name: string }>(
      `SELECT pg_catalog.concat('role ', rolname) AS name FROM pg_catalog.pg_roles
       UNION ALL SELECT pg_catalog.concat('database ', datname) FROM pg_catalog.pg_database
       UNION ALL SELECT pg_catalog.concat('membership of ', member::pg_catalog.regrole, ' in ', roleid::pg_catalog.regrole)
         FROM pg_catalog.pg_auth_members`,
    );
    found.push(...rows.map((row) => row.name));
  } finally {
    await superuser.end();
  }
  return new Set(found);
}

/** What the second has and the first has not. */
export function addedSince(before: Snapshot, after: Snapshot): string[] {
  return [...after].filter((name) => !before.has(name)).sort();
}
