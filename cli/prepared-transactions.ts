import type { Client } from "pg";

/** A transaction that was prepared for a two-phase commit, and waits for its second phase, without a session. */
export interface PreparedTransaction {
  /** The name that it was prepared under, which is whatever the client chose. */
  readonly gid: string;
  /** Who prepared it; absent if that role is gone. */
  readonly owner?: string;
  readonly database: string;
  readonly ageSeconds: number;
}

/**
 * Prepared transactions of some roles, and in one database those whose owner is gone. They keep their locks, and
 * outlive session and server.
 */
export async function preparedTransactions(
  client: Client,
  owners: readonly string[],
  database: string,
): Promise<PreparedTransaction[]> {
  const { rows } = await client.query<Omit<PreparedTransaction, "owner"> & { owner: string | null }>(
    `SELECT gid, owner::pg_catalog.text AS owner, database::pg_catalog.text AS database,
       EXTRACT(epoch FROM pg_catalog.now() OPERATOR(pg_catalog.-) prepared)::double precision AS "ageSeconds"
     FROM pg_catalog.pg_prepared_xacts
     WHERE owner OPERATOR(pg_catalog.=) ANY ($1) OR (owner IS NULL AND database OPERATOR(pg_catalog.=) $2)
     ORDER BY prepared`,
    [owners, database],
  );
  return rows.map(({ owner, ageSeconds, ...found }) => ({
    ...{ ...found, ageSeconds: Math.round(ageSeconds) },
    ...(owner !== null && { owner }),
  }));
}
