import { escapeIdentifier, type Client } from "pg";
import { describeError, UserError } from "../errors";
import { SqlState, sqlState } from "../postgres-login";

/**
 * How long a statement waits for a lock; meanwhile others wait behind it. After deadlock_timeout, a second, it makes
 * autovacuum let go.
 */
const LOCK_TIMEOUT = "1200ms";
/** Of one transaction. */
const QUERY_TIMEOUT_MS = 120_000;

/** A statement, and whether it is run as the engine's login, or as that of PGUSER, which has its rights and more. */
export interface Step {
  readonly as: "manager" | "login";
  readonly sql: string;
}

/** What is run as the engine's login. */
export interface Work {
  /** User that the login becomes a member of. */
  readonly user: string;
  /** Whose objects others have rights on: only as the owner can these be taken back. */
  readonly joins: () => Promise<readonly string[]>;
  /** Asked for in the transaction, once the login has joined them. */
  readonly steps: () => Promise<readonly Step[]>;
  /** How long the statements may take. @default - two minutes */
  readonly timeoutMs?: number;
}

/**
 * Runs statements in one transaction as the engine's login, which has made the user and is a member of the base role. The
 * present login joins it, and it joins the owners of what the user has rights on, as far as it may. All that is taken back
 * before the transaction ends, so that nothing is left of that whenever it is cut off.
 *
 * @throws UserError if the present login may not join the engine's
 */
export async function asManager(
  client: Client,
  manager: string,
  { user, joins: owners, steps, timeoutMs = QUERY_TIMEOUT_MS }: Work,
): Promise<void> {
  const [name, ended] = [escapeIdentifier(manager), escapeIdentifier(user)];
  await client.query("BEGIN");
  try {
    await client.query(`SELECT pg_catalog.set_config('lock_timeout', '${LOCK_TIMEOUT}', true)`);
    const joins = !(await maySetRole(client, manager));
    await join(client, manager, joins);
    if (!(await maySetRole(client, user))) await client.query(`GRANT ${ended} TO CURRENT_USER`);
    const lent = await joinEach(client, await owners());
    for (const { as, statements } of together(await steps())) {
      await client.query(`SET LOCAL ROLE ${as === "manager" ? name : "NONE"}`);
      await client.query({ text: statements.join(";\n"), query_timeout: timeoutMs } as {
        text: string;
      });
    }
    await client.query(`SET LOCAL ROLE ${name}`);
    for (const owner of lent) await client.query(`REVOKE ${escapeIdentifier(owner)} FROM CURRENT_USER`);
    await client.query("SET LOCAL ROLE NONE");
    if (joins) await client.query(`REVOKE ${name} FROM CURRENT_USER`);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/**
 * Attempts something as the engine's login, and where that may not, as the login of PGUSER: an administrator may do more.
 *
 * @throws what the first attempt did
 */
export async function asEither(attemptAs: (as: Step["as"]) => Promise<void>): Promise<void> {
  await attemptAs("manager").catch(async (error: unknown) => {
    if (sqlState(error) !== SqlState.insufficientPrivilege) throw error;
    await attemptAs("login").catch(() => {
      throw error;
    });
  });
}

/** Those that follow each other and are run as the same login. */
function together(
  steps: readonly Step[],
): { readonly as: Step["as"]; readonly statements: readonly string[] }[] {
  const parts: { readonly as: Step["as"]; readonly statements: string[] }[] = [];
  for (const { as, sql } of steps) {
    const last = parts.at(-1);
    if (last?.as === as) last.statements.push(sql);
    else parts.push({ as, statements: [sql] });
  }
  return parts;
}

async function join(client: Client, manager: string, joins: boolean): Promise<void> {
  const name = escapeIdentifier(manager);
  try {
    if (joins) await client.query(`GRANT ${name} TO CURRENT_USER`);
    await client.query(`SET LOCAL ROLE ${name}`);
  } catch (error) {
    if (sqlState(error) !== SqlState.insufficientPrivilege) throw error;
    throw new UserError(
      `The login of PGUSER may not act as the engine's login ${manager}: ${describeError(error)}`,
      "Use the login that made it, which is the one that deploys (docs/rights/postgres-login.sql), or an administrator.",
    );
  }
}

/**
 * Makes the present role a member of others, as far as it may, and as the login of PGUSER is none either; returns those that it
 * was none of.
 */
async function joinEach(client: Client, roles: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT r.rolname::pg_catalog.text AS name FROM pg_catalog.pg_roles AS r
     WHERE r.rolname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
       AND NOT pg_catalog.pg_has_role(r.oid, 'USAGE') AND NOT pg_catalog.pg_has_role(session_user, r.oid, 'USAGE')`,
    [roles],
  );
  const joined: string[] = [];
  for (const { name } of rows) {
    await client.query("SAVEPOINT before_owner");
    try {
      await client.query(`GRANT ${escapeIdentifier(name)} TO CURRENT_USER`);
      joined.push(name);
    } catch (error) {
      const state = sqlState(error);
      const isKept =
        state === SqlState.insufficientPrivilege ||
        state === SqlState.invalidGrant ||
        state === SqlState.lockNotAvailable;
      // Nor may whoever holds a lock on its own membership hold up the rest. What is left because of it is told at the end.
      if (!isKept) throw error;
      await client.query("ROLLBACK TO SAVEPOINT before_owner");
    }
  }
  return joined;
}

/** Whether the present role may become another; from PostgreSQL 16 on, members may be kept from it. */
async function maySetRole(client: Client, role: string): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    `SELECT pg_catalog.pg_has_role(r.oid, CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4
         OPERATOR(pg_catalog.>=) 160000 THEN 'SET' ELSE 'MEMBER' END) AS may
     FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.name`,
    [role],
  );
  return rows[0]?.may === true;
}
