import { DatabaseError, type Client } from "pg";
import type { Attempt } from "./statements";

export type Verdict = "allowed" | "refused";

/** What PostgreSQL says where a right is missing. */
const INSUFFICIENT_PRIVILEGE = "42501";
/** A statement that PostgreSQL runs outside a transaction only. */
const ACTIVE_TRANSACTION = "25001";

/**
 * Whether a session can do it, acting as whichever role it likes: as it began, and as the login itself. Leaves nothing.
 *
 * @throws DatabaseError if it fails for another reason than a missing right
 */
export async function judge(client: Client, { sql }: Attempt): Promise<Verdict> {
  for (const prelude of [[], ["SET LOCAL ROLE NONE"]]) {
    const refusal = await inTransaction(client, [...prelude, ...sql]);
    if (refusal === undefined) return "allowed";
  }
  return "refused";
}

async function inTransaction(client: Client, sql: readonly string[]): Promise<string | undefined> {
  await client.query("BEGIN");
  try {
    for (const statement of sql) await client.query(statement);
    return undefined;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    if (error.code === ACTIVE_TRANSACTION) {
      await client.query("ROLLBACK");
      return await alone(client, sql);
    }
    if (error.code !== INSUFFICIENT_PRIVILEGE) throw error;
    return error.code;
  } finally {
    await client.query("ROLLBACK");
  }
}

async function alone(client: Client, sql: readonly string[]): Promise<string | undefined> {
  try {
    for (const statement of sql.filter((each) => !each.startsWith("SET LOCAL")))
      await client.query(statement);
    return undefined;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== INSUFFICIENT_PRIVILEGE) throw error;
    return error.code;
  }
}
