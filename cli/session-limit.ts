import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "pg";
import { sqlState, SqlState, type Session } from "./postgres-login";

/** How long a session that was closed may take to end on the server. */
const FREED_MS = 5_000;
const INTERVAL_MS = 50;

/** How many sessions a login may have at once; undefined for no limit. */
export async function sessionLimit(client: Client, username: string): Promise<number | undefined> {
  const { rows } = await client.query<{ most: number }>(
    "SELECT rolconnlimit AS most FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1",
    [username],
  );
  const most = rows[0]?.most ?? -1;
  return most < 0 ? undefined : most;
}

/**
 * Whether PostgreSQL lets nobody in since the login has all the sessions that it may have. It has taken the password by then. The
 * server's own limit, or a database's, is another matter, and its message names no login.
 */
export function hasAllSessions(error: unknown, username: string): boolean {
  return (
    sqlState(error) === SqlState.tooManyConnections && (error as Error).message.includes(`"${username}"`)
  );
}

/** Logs in, once a session of ours that was closed is gone on the server. */
export async function onceFree(username: string, logIn: () => Promise<Session>): Promise<Session> {
  const deadline = Date.now() + FREED_MS;
  for (;;) {
    try {
      return await logIn();
    } catch (error) {
      if (!hasAllSessions(error, username) || Date.now() > deadline) throw error;
    }
    await pause(INTERVAL_MS);
  }
}
