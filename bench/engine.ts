import { Client } from "pg";
import { startSandbox, type Sandbox } from "../sandbox/sandbox";
import { quoteIdentifier } from "../lib/statements";
import { timed } from "./interleave";
import { AS_SUPERUSER, variants, type Variant } from "./variants";
import type { BenchmarkContext } from "./benchmark";
import { versionsOf } from "./versions";

const MANAGER = "bench_manager";
/** For the statements of others, which need the rights of the tables' owner. */
const SUPERUSER = "bench_superuser";

/** A sandbox whose secrets engine issues for every variant, through its HTTP API. */
export class BenchEngine {
  static async start(context: BenchmarkContext): Promise<BenchEngine> {
    const sandbox = await startSandbox({ terraform: false, onProgress: (line) => context.say(line) });
    const engine = new BenchEngine(sandbox);
    const password = sandbox.managerPassword;
    await engine.sql(
      `CREATE ROLE ${MANAGER} LOGIN CREATEROLE PASSWORD '${password}';
       CREATE ROLE ${SUPERUSER} LOGIN SUPERUSER PASSWORD '${password}'`,
    );
    await sandbox.vault.client().write("sys/mounts/database", { type: "database" });
    return engine;
  }

  private constructor(readonly sandbox: Sandbox) {}

  get versions(): Record<string, string> {
    return versionsOf(this.sandbox);
  }

  stop(): Promise<void> {
    return this.sandbox.stop();
  }

  /** Makes a database with a read-only base role, as the constructs grant it, and a connection of the same name. */
  async addDatabase(name: string): Promise<void> {
    const [database, base] = [quoteIdentifier(name), quoteIdentifier(baseOf(name))];
    await this.sql(`CREATE DATABASE ${database}`);
    await this.sql(
      `REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
       REVOKE ALL ON SCHEMA public FROM PUBLIC;
       CREATE ROLE ${base} NOLOGIN;
       GRANT CONNECT ON DATABASE ${database} TO ${base}, ${MANAGER};
       GRANT USAGE ON SCHEMA public TO ${base};
       ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO ${base};
       GRANT ${base} TO ${MANAGER} WITH ADMIN OPTION`,
      name,
    );
    await this.addConnection(name, name);
  }

  /** Makes one more manager, as that of the constructs, and a connection to a database with it. */
  async addManager(name: string, database: string): Promise<void> {
    await this.sql(
      `CREATE ROLE ${name} LOGIN CREATEROLE PASSWORD '${this.sandbox.managerPassword}';
       GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${name};
       GRANT ${quoteIdentifier(baseOf(database))} TO ${name} WITH ADMIN OPTION`,
    );
    await this.addConnection(name, database, name);
  }

  /** Gives the engine one more connection to a database: each has a lock of its own in the engine. */
  async addConnection(connection: string, database: string, manager = MANAGER): Promise<void> {
    const { postgres, vault, managerPassword } = this.sandbox;
    const client = vault.client();
    for (const [suffix, username] of [
      ["", manager],
      ["-superuser", SUPERUSER],
    ] as const) {
      await client.write(`database/config/${connection}${suffix}`, {
        plugin_name: "postgresql-database-plugin",
        allowed_roles: ["*"],
        connection_url: `postgresql://{{username}}:{{password}}@${postgres.host}:${postgres.port}/${database}?sslmode=disable`,
        username,
        password: managerPassword,
        // As the constructs have them.
        password_authentication: "scram-sha-256",
        max_open_connections: 4,
        max_idle_connections: 2,
      });
    }
    const statements = Object.entries(variants(database, baseOf(database)));
    for (const [variant, { creation, revocation }] of statements) {
      await client.write(`database/roles/${variant}-${connection}`, {
        db_name: AS_SUPERUSER.has(variant as Variant) ? `${connection}-superuser` : connection,
        creation_statements: creation,
        revocation_statements: revocation,
        default_ttl: "1h",
        max_ttl: "24h",
      });
    }
  }

  /** Makes tables `public.t<n>` in steps, because a transaction holds a lock on each table that it makes. */
  async addTables(database: string, from: number, to: number): Promise<void> {
    for (let start = from; start < to; start += 1_000) {
      const end = Math.min(start + 1_000, to);
      await this.sql(
        `DO $$ BEGIN FOR n IN ${start + 1}..${end} LOOP
           EXECUTE format('CREATE TABLE public.t%s (id int)', n);
         END LOOP; END $$`,
        database,
      );
    }
    await this.sql("VACUUM ANALYZE", database);
  }

  /** Runs SQL as the superuser, and returns the rows of the last statement. */
  async sql(text: string, database?: string): Promise<Record<string, unknown>[]> {
    return this.connected(database, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(text);
      return rows;
    });
  }

  /** Works with a connection of the superuser. */
  async connected<T>(database: string | undefined, work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.sandbox.postgres.connect(database);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  /** A session of the engine's login, to be ended by the caller. */
  async connectManager(database: string): Promise<Client> {
    const { postgres, managerPassword } = this.sandbox;
    const { host, port } = postgres;
    const client = new Client({ host, port, user: MANAGER, password: managerPassword, database });
    await client.connect();
    return client;
  }

  /** What the engine runs to issue, with its placeholders. */
  creation(variant: Variant, database: string): readonly string[] {
    return variants(database, baseOf(database))[variant].creation;
  }

  /** Issues a credential and returns its lease. */
  async issue(variant: Variant, connection: string): Promise<string> {
    const { lease_id } = await this.sandbox.vault.client().read(`database/creds/${variant}-${connection}`);
    return lease_id ?? "";
  }

  async revoke(lease: string): Promise<void> {
    await this.sandbox.vault.client().write("sys/leases/revoke", { lease_id: lease, sync: true });
  }

  /** Milliseconds of one issue and its revocation. */
  async cycle(variant: Variant, connection: string): Promise<{ issue: number; revoke: number }> {
    let lease = "";
    const issue = await timed(async () => {
      lease = await this.issue(variant, connection);
    });
    return { issue, revoke: await timed(() => this.revoke(lease)) };
  }
}

function baseOf(database: string): string {
  return `${database}_read_only`;
}
