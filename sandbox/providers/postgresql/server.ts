// A PostgreSQL server as the provider configuration names it. Connections are made for each piece of work and not
// kept: a database that Terraform is about to drop must have no session of ours.
import { readFileSync } from "node:fs";
import { checkServerIdentity, type ConnectionOptions } from "node:tls";
import type { Client } from "pg";

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  readonly sslmode: string;
  readonly sslrootcert: string;
  /** What the configuration claims; a login that is no superuser cannot read password hashes. */
  readonly superuser: boolean;
  readonly connectTimeoutSeconds: number;
  readonly maxConnections: number;
}

export type Row = Readonly<Record<string, unknown>>;

export interface Session {
  query(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/** Deadlock, and the catalog races that PostgreSQL reports as internal errors: over once the other is done. */
const RACES = /deadlock detected|tuple concurrently (updated|deleted)/;
const ATTEMPTS = 6;

export class PostgresServer {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  public constructor(public readonly settings: ServerSettings) {
    this.free = settings.maxConnections > 0 ? settings.maxConnections : Number.POSITIVE_INFINITY;
  }

  /** Each statement on its own, in the provider's database unless another is named. */
  public async session<T>(work: (session: Session) => Promise<T>, database?: string): Promise<T> {
    await this.takePlace();
    try {
      const client = await this.connect(database ?? this.settings.database);
      try {
        return await work({
          query: async (sql, parameters) => (await client.query<Row>(sql, [...(parameters ?? [])])).rows,
        });
      } finally {
        await client.end().catch(() => undefined);
      }
    } finally {
      this.free += 1;
      this.waiting.shift()?.();
    }
  }

  /** All or nothing; tried again when it lost a race with another change. */
  public async transaction<T>(work: (session: Session) => Promise<T>, database?: string): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.session(async (session) => {
          await session.query("BEGIN");
          try {
            const result = await work(session);
            await session.query("COMMIT");
            return result;
          } catch (error) {
            await session.query("ROLLBACK").catch(() => undefined);
            throw error;
          }
        }, database);
      } catch (error) {
        if (attempt === ATTEMPTS || !(error instanceof Error) || !RACES.test(error.message)) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 50 * attempt * (1 + Math.random())));
      }
    }
  }

  private async connect(database: string): Promise<Client> {
    const { host, port, username, password, connectTimeoutSeconds } = this.settings;
    // Not at the top: Terraform starts the plugin several times a command, mostly for no more than its schema.
    const pg = await import("pg");
    const client = new pg.Client({
      host,
      port,
      user: username,
      password,
      database,
      ssl: tlsOptions(this.settings),
      connectionTimeoutMillis: connectTimeoutSeconds * 1000,
      application_name: "Terraform provider (sandbox stand-in)",
    });
    // A session that the server ends while idle must not end the plugin.
    client.on("error", () => undefined);
    try {
      await client.connect();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`could not connect to PostgreSQL at ${host}:${port}, database ${database}: ${reason}`, {
        cause: error,
      });
    }
    return client;
  }

  private async takePlace(): Promise<void> {
    if (this.free <= 0) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    this.free -= 1;
  }
}

export const SSL_MODES = ["disable", "require", "verify-ca", "verify-full"];

function tlsOptions({ sslmode, sslrootcert }: ServerSettings): false | ConnectionOptions {
  const authority = sslrootcert === "" ? {} : { ca: readFileSync(sslrootcert) };
  switch (sslmode) {
    case "disable":
      return false;
    case "verify-full":
      return { ...authority, checkServerIdentity };
    case "verify-ca":
      return { ...authority, checkServerIdentity: () => undefined };
    default:
      // As libpq has it: a root certificate given is used.
      return sslrootcert === ""
        ? { rejectUnauthorized: false }
        : { ...authority, checkServerIdentity: () => undefined };
  }
}
