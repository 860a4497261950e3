import { setTimeout as sleep } from "node:timers/promises";
import { Pool, type PoolClient, type QueryResult, type QueryResultRow } from "pg";

/** How to log in to a database. */
export interface DatabaseLogin {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  /** Absent where the server asks for none. */
  readonly password?: string;
}

export interface SwappingPoolOptions {
  /** Whether to encrypt the connections, and how to check the server; as `pg` takes it. @default true */
  readonly ssl?: boolean | { readonly ca: string };
  /** Most connections at a time. @default 10 */
  readonly max?: number;
  /** Called when a new login cannot be had or used; the old one stays. */
  readonly onError?: (error: Error) => void;
}

/** A pool of one login. */
interface Generation {
  readonly pool: Pool;
  readonly login: DatabaseLogin;
  /** Requests that wait for a connection: a pool that ends would never answer them. */
  waiting: number;
}

const REFUSED = ["28P01", "28000"];
/** Said by `pg` itself where the server asks for a password and there is none. */
const NO_PASSWORD = /^SASL: .*client password must be/;
/** Begins the SQLSTATEs of sessions that are ended by an administrator, as a revocation does. */
const SHUT_DOWN = "57P";
const PATIENCE_MS = 10_000;

/** Whether PostgreSQL refused a login: the user is gone, its password is another, or it is past VALID UNTIL. */
export function isLoginRefused(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return REFUSED.includes(code ?? "") || NO_PASSWORD.test(message ?? "");
}

/** Whether PostgreSQL ended the session that asked, so that the same can be asked again in another one. */
export function isSessionEnded(error: unknown): boolean {
  return (error as { code?: string }).code?.startsWith(SHUT_DOWN) === true;
}

/**
 * A pool whose login changes. A new login is tried first; then new requests go to a new pool, and the old one ends as its
 * connections come back, so that no request and no transaction is cut off.
 */
export abstract class SwappingPool {
  private current: Generation | undefined;
  private readonly draining = new Set<Promise<void>>();
  private refreshing: Promise<void> | undefined;

  protected constructor(private readonly poolOptions: SwappingPoolOptions) {}

  /** Looks for a login that is newer, and takes it by {@link swap}. */
  protected abstract lookAgain(): Promise<void>;

  get username(): string {
    return this.generation.login.username;
  }

  async query<R extends QueryResultRow>(text: string, values: unknown[] = []): Promise<QueryResult<R>> {
    return this.use((client) => client.query<R>(text, values));
  }

  /** Commits what `work` does, or none of it. It keeps its connection, whatever becomes of the login meanwhile. */
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

  /** Waits for what runs. */
  async close(): Promise<void> {
    await this.refreshing;
    this.retire(this.generation);
    await Promise.all(this.draining);
  }

  /** Looks again, once for all who ask at the same time. Never rejects. */
  protected refresh(): Promise<void> {
    this.refreshing ??= this.lookAgain()
      .catch((error: unknown) => this.poolOptions.onError?.(error as Error))
      .finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  /** Hands new requests another login, if it can log in. Says whether it is another. */
  protected async swap(login: DatabaseLogin): Promise<boolean> {
    const last = this.current;
    if (last?.login.username === login.username && last.login.password === login.password) return false;
    this.current = await tried(login, this.poolOptions);
    if (last !== undefined) this.retire(last);
    return true;
  }

  private get generation(): Generation {
    if (this.current === undefined) throw new Error("The pool has no login yet.");
    return this.current;
  }

  private async use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.connect();
    let failure: Error | undefined;
    // Between two queries of a transaction, an error of the connection is nobody's, and would end the process.
    const note = (error: Error) => (failure = error);
    client.on("error", note);
    try {
      return await work(client);
    } catch (error) {
      // The server ends such a connection, which the pool would hand out once more before it notices.
      if (isSessionEnded(error)) failure ??= error as Error;
      throw error;
    } finally {
      client.off("error", note);
      client.release(failure);
    }
  }

  /** Should the news of a login lag behind its end, waits for it: nothing of the request has happened yet. */
  private async connect(): Promise<PoolClient> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const generation = this.generation;
      generation.waiting++;
      try {
        return await generation.pool.connect();
      } catch (error) {
        if (!isLoginRefused(error) || Date.now() > deadline) throw error;
      } finally {
        generation.waiting--;
      }
      // Unless another request has seen to it already.
      if (this.current === generation) await this.refresh();
      if (this.current === generation) await sleep(100);
    }
  }

  private retire(generation: Generation): void {
    const drained = drain(generation).finally(() => this.draining.delete(drained));
    this.draining.add(drained);
  }
}

/** A pool that has logged in once. */
async function tried(login: DatabaseLogin, { ssl, max }: SwappingPoolOptions): Promise<Generation> {
  const { host, port, database, username: user, password } = login;
  const pool = new Pool({ host, port, database, user, password, ssl: ssl ?? true, max: max ?? 10 });
  // The server ends idle connections of credentials that are revoked; the pool makes others.
  pool.on("error", () => undefined);
  try {
    await pool.query("SELECT 1");
  } catch (error) {
    await pool.end();
    throw error;
  }
  return { pool, login, waiting: 0 };
}

async function drain(generation: Generation): Promise<void> {
  while (generation.waiting > 0) await sleep(20);
  // Resolves once the last connection in use has come back.
  await generation.pool.end();
}
