import { setTimeout as pause } from "node:timers/promises";
import { escapeIdentifier, type Client } from "pg";
import { UserError } from "./errors";
import { sqlState, SqlState } from "./postgres-login";
import { preparedTransactions } from "./prepared-transactions";
import { shownLiteral } from "./sql-text";

/** A wait for a lock that a session of the login holds is cut short, to end that session. */
const LOCK_TIMEOUT_MS = 50;
const SHUT_TIMEOUT_MS = 20_000;
const INTERVAL_MS = 5;

interface State {
  readonly oid: number;
  readonly mayAlter: boolean;
  readonly mayEnd: boolean;
  /** Seconds for which the server lets a client take its time to prove who it is. */
  readonly authenticationTimeout: number;
}

/** The sessions of one login, as seen and ended by another. */
export class LoginSessions {
  /** How many sessions were told to end. */
  ended = 0;
  private readonly told = new Set<string>();
  private isJoined = false;

  /** @throws UserError if the present login may not end them */
  static async of(client: Client, username: string): Promise<LoginSessions> {
    const { rows } = await client.query<State>(
      `SELECT login.oid::pg_catalog.int8::pg_catalog.float8 AS oid,
         me.rolsuper OR (NOT login.rolsuper AND me.rolcreaterole AND (
           pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.<) 160000
           OR pg_catalog.pg_has_role(me.oid, login.oid, 'MEMBER WITH ADMIN OPTION'))) AS "mayAlter",
         me.rolsuper OR (NOT login.rolsuper AND (pg_catalog.pg_has_role(me.oid, login.oid, 'USAGE')
           OR pg_catalog.pg_has_role(me.oid, 'pg_signal_backend', 'USAGE'))) AS "mayEnd",
         (SELECT setting::pg_catalog.int4 FROM pg_catalog.pg_settings
          WHERE name OPERATOR(pg_catalog.=) 'authentication_timeout') AS "authenticationTimeout"
       FROM pg_catalog.pg_roles AS login, pg_catalog.pg_roles AS me
       WHERE login.rolname OPERATOR(pg_catalog.=) $1 AND me.rolname OPERATOR(pg_catalog.=) current_user`,
      [username],
    );
    const [state] = rows;
    if (state === undefined) {
      throw new UserError(
        `PostgreSQL has no login "${username}".`,
        "Make it again with cdktf deploy, or, where a static role names it by username, have whoever made it do so; and rotate then.",
      );
    }
    if (!state.mayAlter && !state.mayEnd) {
      throw new UserError(
        `PGUSER may not end sessions of ${username}.`,
        "Set PGUSER and PGPASSWORD to the login that deploys (docs/rights/postgres-login.sql), to an administrator's, or to a " +
          "login as in docs/rights/operator-login.sql.",
      );
    }
    return new LoginSessions(client, username, state);
  }

  private constructor(
    private readonly client: Client,
    readonly username: string,
    private readonly state: State,
  ) {}

  /** Whether nobody needs to be faster than whoever has the password: the login can be shut meanwhile. */
  get canShut(): boolean {
    return this.state.mayAlter;
  }

  /** How long a client that has begun to log in may take; what the server compares its password with is read by then. */
  get loginMs(): number {
    return (this.state.authenticationTimeout + 1) * 1_000;
  }

  /**
   * Lets nobody log in any more. One that holds its own row in a transaction loses its session first.
   *
   * @throws UserError if its row is held all the same
   */
  async shut(): Promise<void> {
    await this.client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    if (!this.state.mayEnd) await this.join();
    for (const deadline = Date.now() + SHUT_TIMEOUT_MS; ;) {
      await this.end();
      if (await this.unlessHeld(`ALTER ROLE ${this.name} NOLOGIN`)) return;
      if (Date.now() > deadline) throw await this.held();
      await pause(INTERVAL_MS);
    }
  }

  /** Lets it log in again. */
  async reopen(): Promise<void> {
    if (!(await this.unlessHeld(`ALTER ROLE ${this.name} LOGIN`))) throw await this.held();
  }

  /** Gives back what {@link shut} has taken for it; what fails before is told rather than this. */
  async close(): Promise<void> {
    if (this.isJoined)
      await this.client.query(`REVOKE ${this.name} FROM CURRENT_USER`).catch(() => undefined);
    this.isJoined = false;
  }

  /**
   * Tells its sessions to end.
   *
   * @param before by the server's clock: those that began later are left
   * @returns how many there were
   */
  async end(before?: string): Promise<number> {
    const { rows } = await this.client.query<{ pid: number; begin: string }>(
      `SELECT pid, backend_start::pg_catalog.text AS begin, pg_catalog.pg_terminate_backend(pid)
       FROM pg_catalog.pg_stat_activity
       WHERE usesysid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
         AND ($2::pg_catalog.timestamptz IS NULL OR backend_start IS NULL
           OR backend_start OPERATOR(pg_catalog.<) $2::pg_catalog.timestamptz)`,
      [this.state.oid, before ?? null],
    );
    for (const { pid, begin } of rows) this.told.add(`${pid} ${begin}`);
    this.ended = this.told.size;
    return rows.length;
  }

  /** Ends them for as long as something else takes. */
  async endDuring<T>(work: Promise<T>, before?: string): Promise<T> {
    let isDone = false;
    const watched = work.finally(() => (isDone = true));
    // It is awaited below, also if the look at the sessions fails first.
    watched.catch(() => undefined);
    while (!isDone) {
      await this.end(before);
      await pause(INTERVAL_MS);
    }
    return watched;
  }

  /** The server's clock. */
  async now(): Promise<string> {
    const { rows } = await this.client.query<{ now: string }>(
      "SELECT pg_catalog.clock_timestamp()::pg_catalog.text AS now",
    );
    return rows[0]?.now ?? "";
  }

  /** Logins that it has made members of itself, as PostgreSQL 14 and 15 let it do: they act as it with their own. */
  async guests(): Promise<string[]> {
    const { rows } = await this.client.query<{ name: string }>(
      `SELECT guest.rolname::pg_catalog.text AS name FROM pg_catalog.pg_auth_members AS m
       JOIN pg_catalog.pg_roles AS guest ON guest.oid OPERATOR(pg_catalog.=) m.member
       WHERE m.roleid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND m.grantor OPERATOR(pg_catalog.=) m.roleid
       ORDER BY 1`,
      [this.state.oid],
    );
    return rows.map(({ name }) => name);
  }

  private get name(): string {
    return escapeIdentifier(this.username);
  }

  /** As a member of it, one may end its sessions. */
  private async join(): Promise<void> {
    this.isJoined = await this.unlessHeld(`GRANT ${this.name} TO CURRENT_USER`);
    if (!this.isJoined) throw await this.held();
  }

  private async unlessHeld(sql: string): Promise<boolean> {
    try {
      await this.client.query(sql);
      return true;
    } catch (error) {
      // The second is "tuple concurrently updated": a session was faster.
      const held: readonly (string | undefined)[] = [SqlState.lockNotAvailable, SqlState.internalError];
      if (!held.includes(sqlState(error))) throw error;
      return false;
    }
  }

  private async held(): Promise<UserError> {
    const prepared = await preparedTransactions(this.client, [this.username], "");
    const steps = prepared.map(
      ({ gid, database }) => `ROLLBACK PREPARED ${shownLiteral(gid)}; in ${database}`,
    );
    return new UserError(
      `A lock keeps the login ${this.username} from being changed.`,
      steps.length > 0
        ? `Its prepared transactions hold it; as its owner or a superuser: ${steps.join(", ")}`
        : "See who holds it, SELECT * FROM pg_catalog.pg_locks WHERE NOT granted, end that session, and run this again.",
    );
  }
}
