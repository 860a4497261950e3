// A MariaDB beside a sandbox, prepared as the documentation says, and what tests do in it.
import * as fs from "node:fs";
import * as path from "node:path";
import type { Connection } from "mysql2/promise";
import { findMariadb, MariadbServer, type MariadbOptions } from "../../sandbox/mariadb-server";
import type { Sandbox } from "../../sandbox/sandbox";
import { announce } from "./announce";

const binaries = findMariadb(process.env);
if (binaries === undefined) {
  announce(
    "SKIPPED: tests on MariaDB: no mariadbd (Debian: mariadb-server); SANDBOX_MARIADB_BIN names its folder",
  );
}

/** `describe` where MariaDB is installed. */
export const describeWithMariadb = binaries === undefined ? describe.skip : describe;

const RIGHTS = path.resolve(__dirname, "../../docs/rights");

/** Ends with the sandbox; the documented files are run on it, with the password that the deployment sends. */
export async function startMariadb(sandbox: Sandbox, options?: MariadbOptions): Promise<MariadbServer> {
  if (binaries === undefined) throw new Error("there is no MariaDB");
  const server = await MariadbServer.create(sandbox.lifetime, binaries, options);
  announce(`MariaDB ${server.version} on ${server.host}:${server.port}`);
  const manager = fs.readFileSync(path.join(RIGHTS, "mysql-manager.sql"), "utf8");
  await server.run(`SET @password = '${sandbox.managerPassword}';\n${manager}`);
  return server;
}

/** The documented procedure, with its privilege as MariaDB spells it. */
export function procedureForMysql(): string {
  const sql = fs.readFileSync(path.join(RIGHTS, "mysql-end-sessions.sql"), "utf8");
  return sql.replace("CONNECTION_ADMIN", "CONNECTION ADMIN");
}

/** Runs SQL as the superuser, and returns the first column. */
export async function asRoot(server: MariadbServer, sql: string): Promise<unknown[]> {
  const connection = await server.connect();
  try {
    const [rows] = await connection.query<never>({ sql, rowsAsArray: true });
    return Array.isArray(rows) ? (rows as unknown[][]).map((row) => row[0]) : [];
  } finally {
    await connection.end();
  }
}

export const usersLike = (server: MariadbServer, pattern: string) =>
  asRoot(server, `SELECT user FROM mysql.user WHERE user LIKE '${pattern}' ORDER BY user`);

export const sessionsOf = async (server: MariadbServer, user: string) =>
  (await asRoot(server, `SELECT id FROM information_schema.processlist WHERE user = '${user}'`)).length;

/** Code of what a statement fails with, or `ok`. */
export async function verdictOf(connection: Connection, sql: string): Promise<string> {
  try {
    await connection.query(sql);
    return "ok";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** Code of what a login fails with, or `ok`. */
export async function loginOf(server: MariadbServer, user: string, password: string): Promise<string> {
  try {
    await (await server.connectAs(user, password)).end();
    return "ok";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
