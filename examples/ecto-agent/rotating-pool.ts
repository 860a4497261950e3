import * as fs from "node:fs";
import { Pool, type PoolClient, type QueryResult, type QueryResultRow } from "pg";

/** What the agent renders. */
export interface Credentials {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

export interface RotatingPoolOptions {
  /** File of credentials, as JSON. */
  readonly file: string;
  /** Whether to encrypt the connections, and how to check the server; as `pg` takes it. @default true */
  readonly ssl?: boolean | { readonly ca: string };
  /** Most connections at a time. @default 10 */
  readonly max?: number;
  /** How often to look at the file, in milliseconds. @default 1000 */
  readonly pollMs?: number;
  /** Called after each swap, without secrets. */
  readonly onRotation?: (username: string) => void;
  /** Called when new credentials cannot be used; the old ones stay. */
  readonly onError?: (error: Error) => void;
}

/** A pool of one credential. */
interface Generation {
  readonly pool: Pool;
  readonly credentials: Credentials;
  /** Requests that wait for a connection: a pool that ends would never answer them. */
  waiting: number;
}

/** Login refused: the user is gone, its password has changed, or it is past VALID UNTIL. */
const REFUSED = ["28P01", "28000"];
const PATIENCE_MS = 10_000;

/**
 * A pool that follows a file of credentials. New credentials are tried first; then new requests go to a new pool, and the
 * old one ends as its connections come back, so that no request and no transaction is cut off.
 */
export class RotatingPool {
  static async open(options: RotatingPoolOptions): Promise<RotatingPool> {
    const rotating = new RotatingPool(options, await tried(options));
    // By polling: the agent replaces the file, and some file systems tell no one.
    fs.watchFile(options.file, { interval: options.pollMs ?? 1000 }, rotating.noticed);
    return rotating;
  }

  private readonly draining = new Set<Promise<void>>();
  private reloading: Promise<void> | undefined;

  private constructor(
    private readonly options: RotatingPoolOptions,
    private current: Generation,
  ) {}

  get username(): string {
    return this.current.credentials.username;
  }

  async query<R extends QueryResultRow>(text: string, values: unknown[] = []): Promise<QueryResult<R>> {
    return this.use((client) => client.query<R>(text, values));
  }

  /** Commits what `work` does, or none of it. It keeps its connection, whatever becomes of the credentials meanwhile. */
  async transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.use(async (client) => {
      await client.query("BEGIN");
      try {
        const result = await work(client);
        await client.query("COMMIT");
        return result;
      } catch (error) {
        await client.query("ROLLBACK").catch(() => undefined);
        throw error;
      }
    });
  }

  /** Stops watching and waits for what runs. */
  async close(): Promise<void> {
    fs.unwatchFile(this.options.file, this.noticed);
    await this.reloading;
    this.retire(this.current);
    await Promise.all(this.draining);
  }

  private async use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.connect();
    let failure: Error | undefined;
    // Between two queries of a transaction, an error of the connection is nobody's, and would end the process.
    const note = (error: Error) => (failure = error);
    client.on("error", note);
    try {
      return await work(client);
    } finally {
      client.off("error", note);
      client.release(failure);
    }
  }

  /** Should the file lag behind the lease, waits for it: nothing of the request has happened yet. */
  private async connect(): Promise<PoolClient> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const generation = this.current;
      generation.waiting++;
      try {
        return await generation.pool.connect();
      } catch (error) {
        if (!REFUSED.includes((error as { code?: string }).code ?? "") || Date.now() > deadline) throw error;
      } finally {
        generation.waiting--;
      }
      await this.reload();
      if (this.current === generation) await sleep(100);
    }
  }

  private readonly noticed = (): void => void this.reload();

  private reload(): Promise<void> {
    this.reloading ??= this.swap()
      .catch((error: unknown) => this.options.onError?.(error as Error))
      .finally(() => (this.reloading = undefined));
    return this.reloading;
  }

  private async swap(): Promise<void> {
    if (read(this.options.file).password === this.current.credentials.password) return;
    const next = await tried(this.options);
    const last = this.current;
    this.current = next;
    this.retire(last);
    this.options.onRotation?.(next.credentials.username);
  }

  private retire(generation: Generation): void {
    const drained = drain(generation).finally(() => this.draining.delete(drained));
    this.draining.add(drained);
  }
}

/** A pool that has logged in once. */
async function tried({ file, ssl, max }: RotatingPoolOptions): Promise<Generation> {
  const credentials = read(file);
  const { host, port, database, username: user, password } = credentials;
  const pool = new Pool({ host, port, database, user, password, ssl: ssl ?? true, max: max ?? 10 });
  // The server ends idle connections of credentials that are revoked; the pool makes others.
  pool.on("error", () => undefined);
  try {
    await pool.query("SELECT 1");
  } catch (error) {
    await pool.end();
    throw error;
  }
  return { pool, credentials, waiting: 0 };
}

async function drain(generation: Generation): Promise<void> {
  while (generation.waiting > 0) await sleep(20);
  // Resolves once the last connection in use has come back.
  await generation.pool.end();
}

function read(file: string): Credentials {
  return JSON.parse(fs.readFileSync(file, "utf8")) as Credentials;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
