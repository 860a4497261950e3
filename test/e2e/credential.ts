import * as fs from "node:fs";
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

/**
 * Passwords, and what PostgreSQL logs of the statements that set them. The engine's session, which stays open, may not
 * read at once that it is to log them: passwords are made until it has.
 */
export async function loggedPasswords(
  sandbox: Sandbox,
  make: () => Promise<string>,
): Promise<{ readonly passwords: readonly string[]; readonly log: string }> {
  const { logFile } = sandbox.postgres;
  const from = fs.readFileSync(logFile, "utf8").length;
  await asSuperuser(sandbox, "ALTER SYSTEM SET log_statement = 'ddl'");
  await asSuperuser(sandbox, "SELECT pg_reload_conf()");
  const passwords: string[] = [];
  let log = "";
  while (passwords.length < 20 && !/ROLE .* PASSWORD/.test(log)) {
    passwords.push(await make());
    log = fs.readFileSync(logFile, "utf8").slice(from);
  }
  return { passwords, log };
}
