import { Client } from "pg";
import type { Sandbox } from "../../sandbox/sandbox";

/** A credential issued by the secrets engine of a sandbox. */
export interface Credential {
  readonly username: string;
  readonly password: string;
  readonly leaseId: string;
}

/** Issues a credential with all rights on the engine; what AppRoles may do is the proof's to check. */
export async function issue(sandbox: Sandbox, credsPath: string): Promise<Credential> {
  const { data, lease_id } = await sandbox.vault.client().read(credsPath);
  const { username, password } = data as { username: string; password: string };
  return { username, password, leaseId: lease_id ?? "" };
}

/** Revokes a credential and waits until the engine is done. */
export async function revoke(sandbox: Sandbox, { leaseId }: Credential): Promise<void> {
  await sandbox.vault.client().write("sys/leases/revoke", { lease_id: leaseId, sync: true });
}

/** An open connection; errors of its own are for the queries to report. */
export async function connect(sandbox: Sandbox, credential: Credential, database: string): Promise<Client> {
  const client = new Client({
    host: sandbox.postgres.host,
    port: sandbox.postgres.port,
    user: credential.username,
    password: credential.password,
    database,
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** SQLSTATE of what a statement fails with, or `ok`. */
export async function verdict(client: Client, sql: string): Promise<string> {
  try {
    await client.query(sql);
    return "ok";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** Runs SQL as the superuser, and returns the first column. */
export async function asSuperuser(sandbox: Sandbox, sql: string, database?: string): Promise<unknown[]> {
  const client = await sandbox.postgres.connect(database);
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
    return (rows ?? []).map((row) => row[0]);
  } finally {
    await client.end();
  }
}
