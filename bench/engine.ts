import { startSandbox, type Sandbox } from "../sandbox/sandbox";
import { quoteIdentifier } from "../lib/statements";
import { timed } from "./interleave";
import { variants, type Variant } from "./variants";
import type { BenchmarkContext } from "./benchmark";

const MANAGER = "bench_manager";
export const DATABASE = "bench";

/** A sandbox whose secrets engine issues for every variant, through its HTTP API. */
export class BenchEngine {
  /** @param connections how many connections of the engine share the database; each has its own lock */
  static async start(context: BenchmarkContext, connections = 1): Promise<BenchEngine> {
    const sandbox = await startSandbox({ terraform: false, onProgress: (line) => context.say(line) });
    const engine = new BenchEngine(sandbox);
    await engine.prepare(connections);
    return engine;
  }

  private constructor(readonly sandbox: Sandbox) {}

  get versions(): Record<string, string> {
    const { postgres, vault } = this.sandbox;
    return { PostgreSQL: postgres.version, [vault.product]: vault.version };
  }

  stop(): Promise<void> {
    return this.sandbox.stop();
  }

  /** Runs SQL as the superuser, and returns the rows. */
  async sql(text: string): Promise<Record<string, unknown>[]> {
    const client = await this.sandbox.postgres.connect(DATABASE);
    try {
      const { rows } = await client.query<Record<string, unknown>>(text);
      return rows;
    } finally {
      await client.end();
    }
  }

  /** Issues a credential and returns its lease. */
  async issue(variant: Variant, connection = 0): Promise<string> {
    const { lease_id } = await this.sandbox.vault.client().read(`database/creds/${variant}-${connection}`);
    return lease_id ?? "";
  }

  async revoke(lease: string): Promise<void> {
    await this.sandbox.vault.client().write("sys/leases/revoke", { lease_id: lease, sync: true });
  }

  /** Milliseconds of one issue and its revocation. */
  async cycle(variant: Variant, connection = 0): Promise<{ issue: number; revoke: number }> {
    let lease = "";
    const issue = await timed(async () => {
      lease = await this.issue(variant, connection);
    });
    return { issue, revoke: await timed(() => this.revoke(lease)) };
  }

  private async prepare(connections: number): Promise<void> {
    const { postgres, vault, managerPassword } = this.sandbox;
    const superuser = await postgres.connect();
    await superuser.query(`CREATE DATABASE ${quoteIdentifier(DATABASE)}`).finally(() => superuser.end());
    // A superuser, because the documented statements of others need the rights of the tables' owner.
    await this.sql(`CREATE ROLE ${MANAGER} LOGIN SUPERUSER PASSWORD '${managerPassword}'`);
    await this.sql(`CREATE ROLE bench_base NOLOGIN; GRANT pg_read_all_data TO bench_base`);
    const client = vault.client();
    await client.write("sys/mounts/database", { type: "database" });
    for (let connection = 0; connection < connections; connection++) {
      const name = `connection-${connection}`;
      await client.write(`database/config/${name}`, {
        plugin_name: "postgresql-database-plugin",
        allowed_roles: ["*"],
        connection_url: `postgresql://{{username}}:{{password}}@${postgres.host}:${postgres.port}/${DATABASE}?sslmode=disable`,
        username: MANAGER,
        password: managerPassword,
      });
      for (const [variant, { creation, revocation }] of Object.entries(variants("bench_base"))) {
        await client.write(`database/roles/${variant}-${connection}`, {
          db_name: name,
          creation_statements: creation,
          revocation_statements: revocation,
          default_ttl: "1h",
          max_ttl: "24h",
        });
      }
    }
  }
}
