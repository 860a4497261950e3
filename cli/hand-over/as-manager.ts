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

/**
 * Runs statements in one transaction as the engine's login, which has made the user and is a member of the base role. The
 * present login joins it, and leaves it again before the transaction ends, so that nothing is left of that whenever it is
 * cut off.
 *
 * @throws UserError if the present login may not join the engine's
 */
export async function asManager(
  client: Client,
  manager: string,
  user: string,
  statements: readonly string[],
): Promise<void> {
  const [name, ended] = [escapeIdentifier(manager), escapeIdentifier(user)];
  await client.query("BEGIN");
  try {
    await client.query(`SELECT pg_catalog.set_config('lock_timeout', '${LOCK_TIMEOUT}', true)`);
    const joins = !(await maySetRole(client, manager));
    await join(client, manager, joins);
    if (!(await maySetRole(client, user))) await client.query(`GRANT ${ended} TO CURRENT_USER`);
    await client.query({ text: statements.join(";\n"), query_timeout: QUERY_TIMEOUT_MS } as { text: string });
    await client.query("SET LOCAL ROLE NONE");
    if (joins) await client.query(`REVOKE ${name} FROM CURRENT_USER`);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
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
