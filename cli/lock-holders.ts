import type { Client } from "pg";

/** Somebody whose open transaction keeps a user from being dropped. */
export interface LockHolder {
  /** Process id; absent for a prepared transaction, which has no session. */
  readonly pid?: number;
  /** Name of a prepared transaction. */
  readonly gid?: string;
  /** Whose it is; absent for a process of the server's own, and for a role that is gone. */
  readonly user?: string;
  readonly database: string;
  /** Whether it is the server's own process that cleans a table up. */
  readonly isAutovacuum: boolean;
  /**
   * A lock on the user, on what it owns, on a table with a policy that names it, a strong one on what it has rights on, or one
   * on some row of the roles. Or a lock on tables of its database, of which one may have a policy that names it. Or none that
   * can be seen, but a transaction that has changed something, and may hold a row that a revocation needs.
   */
  readonly holds: "user" | "owned" | "guarded" | "granted" | "some role" | "some table" | "something";
  /** How long its transaction has been open. */
  readonly seconds: number;
}

/** A session of a user. */
export interface UserSession {
  readonly pid: number;
  /** Such as `active`; absent where the login may not see it (pg_read_all_stats). */
  readonly state?: string;
  /** How long it has been in that state; absent likewise. */
  readonly seconds?: number;
}

/** What is open on a user's account. */
export interface Hold {
  readonly sessions: readonly UserSession[];
  /** Those known to hold a lock; sessions of its own are not among them. */
  readonly holders: readonly LockHolder[];
  /** Those that may hold one. */
  readonly suspects: readonly LockHolder[];
}

type Row = LockHolder & { readonly oid: number };

/** A revocation waits so long for a lock. */
const LONGEST_WAIT = "1 s";
/** What is seen from within the environment's database alone. */
export interface SeenWithin {
  readonly database: string;
  /** Tables with a policy that names a user, by the user's OID and their own. */
  readonly guarded: readonly { readonly oid: number; readonly table: number }[];
}

/** Of transactions that may hold something, so many are told. */
const MOST_SUSPECTS = 3;

/**
 * Who holds locks that a revocation of the users has to wait for, for longer than it waits; by OID of the user. The engine's
 * own sessions are left out: what they wait for is looked for here.
 */
export async function holdsOn(
  client: Client,
  oids: readonly number[],
  manager: string,
  within: SeenWithin,
): Promise<Map<number, Hold>> {
  const holders = await lockHolders(client, oids, manager, within);
  const suspects = await openTransactions(client, oids, manager);
  const { rows } = await client.query<{
    oid: number;
    pid: number;
    state: string | null;
    seconds: number | null;
  }>(
    `SELECT usesysid::bigint::double precision AS oid, pid, state,
       EXTRACT(epoch FROM pg_catalog.now() OPERATOR(pg_catalog.-) state_change)::double precision AS seconds
     FROM pg_catalog.pg_stat_activity
     WHERE usesysid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[]) ORDER BY pid`,
    [oids],
  );
  return new Map(
    oids.map((oid) => {
      const found = holders.filter((holder) => holder.oid === oid);
      const unsure = found.filter(({ holds }) => holds === "some role");
      return [
        oid,
        {
          sessions: rows
            .filter((row) => row.oid === oid)
            .map(({ pid, state, seconds }) => ({
              pid,
              ...(state !== null && { state }),
              ...(seconds !== null && { seconds }),
            })),
          holders: found.filter(({ holds }) => holds !== "some role"),
          suspects: unsure.length > 0 ? unsure : suspects,
        },
      ] as const;
    }),
  );
}

/** Of each database, as locks and what belongs to a role are listed for the whole server. */
async function lockHolders(
  client: Client,
  oids: readonly number[],
  manager: string,
  { database, guarded }: SeenWithin,
): Promise<Row[]> {
  const { rows } = await client.query<RawRow & { oid: number }>(
    `WITH needed AS (
       SELECT id AS "user", 'user' AS holds, 0::pg_catalog.oid AS dbid,
         'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid AS class, id AS object
       FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS one (id)
       UNION ALL
       SELECT refobjid, CASE WHEN deptype OPERATOR(pg_catalog.=) 'o' THEN 'owned' ELSE 'granted' END, dbid, classid, objid
       FROM pg_catalog.pg_shdepend
       WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
         AND refobjid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
       UNION ALL
       SELECT one.id, 'guarded', d.oid, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, one.relation
       FROM ROWS FROM (pg_catalog.unnest($3::pg_catalog.oid[]), pg_catalog.unnest($4::pg_catalog.oid[])) AS one (id, relation)
       JOIN pg_catalog.pg_database AS d ON d.datname OPERATOR(pg_catalog.=) $5
     ), unseen AS (
       SELECT DISTINCT refobjid AS "user", dbid FROM pg_catalog.pg_shdepend
       WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
         AND classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass
         AND refobjid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
         AND refobjid OPERATOR(pg_catalog.<>) ALL ($3::pg_catalog.oid[])
     ), locks AS (
       SELECT pid, virtualtransaction, database, mode,
         COALESCE(classid, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid) AS class,
         COALESCE(objid, relation) AS object
       FROM pg_catalog.pg_locks
       WHERE granted AND (locktype OPERATOR(pg_catalog.=) 'relation' OR locktype OPERATOR(pg_catalog.=) 'object')
     ), held AS (
       SELECT needed."user", needed.holds, locks.pid, locks.virtualtransaction FROM needed
       JOIN locks ON locks.class OPERATOR(pg_catalog.=) needed.class
         AND locks.object OPERATOR(pg_catalog.=) needed.object AND locks.database OPERATOR(pg_catalog.=) needed.dbid
       WHERE needed.holds OPERATOR(pg_catalog.<>) 'granted' OR (locks.mode OPERATOR(pg_catalog.<>) 'AccessShareLock'
         AND locks.mode OPERATOR(pg_catalog.<>) 'RowShareLock' AND locks.mode OPERATOR(pg_catalog.<>) 'RowExclusiveLock')
       UNION ALL
       SELECT unseen."user", 'some table', locks.pid, locks.virtualtransaction FROM unseen
       JOIN locks ON locks.database OPERATOR(pg_catalog.=) unseen.dbid AND locks.object OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
         AND locks.class OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
       UNION ALL
       SELECT id, 'some role', locks.pid, locks.virtualtransaction
       FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS one (id)
       JOIN locks ON locks.class OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
         AND locks.object OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
         AND locks.mode OPERATOR(pg_catalog.=) 'RowExclusiveLock'
     ), transactions AS (SELECT * FROM (${TRANSACTIONS}) AS one)
     SELECT DISTINCT ON (held."user", transactions.pid, transactions.gid)
       held."user"::bigint::double precision AS oid, held.holds, transactions.*
     FROM held
     JOIN transactions ON held.pid OPERATOR(pg_catalog.=) transactions.pid
       OR (held.pid IS NULL AND held.virtualtransaction OPERATOR(pg_catalog.=) transactions.virtual)
     WHERE transactions.owner IS NULL OR transactions.owner OPERATOR(pg_catalog.<>) held."user"
     ORDER BY held."user", transactions.pid, transactions.gid, held.holds OPERATOR(pg_catalog.<>) 'user',
       held.holds OPERATOR(pg_catalog.<>) 'owned', held.holds OPERATOR(pg_catalog.<>) 'guarded',
       held.holds OPERATOR(pg_catalog.<>) 'granted', held.holds OPERATOR(pg_catalog.<>) 'some table'`,
    [oids, manager, guarded.map(({ oid }) => oid), guarded.map(({ table }) => table), database],
  );
  return rows.map((row) => ({ ...holderOf(row), oid: row.oid }));
}

/** Transactions that have changed something, the oldest first: a lock on a row that nobody waits for is in no list. */
async function openTransactions(
  client: Client,
  oids: readonly number[],
  manager: string,
): Promise<LockHolder[]> {
  const { rows } = await client.query<RawRow>(
    `WITH transactions AS (SELECT * FROM (${TRANSACTIONS}) AS one)
     SELECT *, 'something' AS holds FROM transactions
     WHERE has_changed AND (owner IS NULL OR owner OPERATOR(pg_catalog.<>) ALL ($1::pg_catalog.oid[]))
       AND EXISTS (
         SELECT FROM pg_catalog.pg_shdepend
         JOIN pg_catalog.pg_database ON pg_database.oid OPERATOR(pg_catalog.=) dbid
         WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
           AND refobjid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[]) AND datname OPERATOR(pg_catalog.=) database
       )
     ORDER BY seconds DESC LIMIT ${MOST_SUSPECTS}`,
    [oids, manager],
  );
  return rows.map(holderOf);
}

interface RawRow {
  readonly pid: number | null;
  readonly gid: string | null;
  readonly user: string | null;
  readonly database: string;
  readonly autovacuum: boolean;
  readonly holds: LockHolder["holds"];
  readonly seconds: number;
}

/**
 * Open transactions, and prepared ones, that have been there for longer than a revocation waits. The locks of a prepared one
 * are known by that on its own number.
 */
const TRANSACTIONS = `
  SELECT pid, NULL AS gid, NULL AS virtual, usesysid AS owner, usename::pg_catalog.text AS "user",
    COALESCE(datname::pg_catalog.text, '') AS database, COALESCE(backend_type OPERATOR(pg_catalog.=) 'autovacuum worker', false) AS autovacuum,
    backend_xid IS NOT NULL AS has_changed,
    COALESCE(EXTRACT(epoch FROM pg_catalog.now() OPERATOR(pg_catalog.-) xact_start), 0)::double precision AS seconds
  FROM pg_catalog.pg_stat_activity
  WHERE pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
    AND (usename IS NULL OR usename OPERATOR(pg_catalog.<>) $2)
    AND (xact_start IS NULL OR xact_start OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) '${LONGEST_WAIT}'::interval))
  UNION ALL
  SELECT NULL, gid, own.virtualtransaction, role.oid, owner::pg_catalog.text, prepared.database::pg_catalog.text, false, true,
    EXTRACT(epoch FROM pg_catalog.now() OPERATOR(pg_catalog.-) prepared.prepared)::double precision
  FROM pg_catalog.pg_prepared_xacts AS prepared
  LEFT JOIN pg_catalog.pg_roles AS role ON role.rolname OPERATOR(pg_catalog.=) owner
  LEFT JOIN pg_catalog.pg_locks AS own ON own.pid IS NULL AND own.locktype OPERATOR(pg_catalog.=) 'transactionid'
    AND own.transactionid OPERATOR(pg_catalog.=) prepared.transaction
  WHERE prepared.prepared OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) '${LONGEST_WAIT}'::interval)`;

function holderOf({ pid, gid, user, database, autovacuum, holds, seconds }: RawRow): LockHolder {
  return {
    ...(pid !== null && { pid }),
    ...(gid !== null && { gid }),
    ...(user !== null && { user }),
    ...{ database, isAutovacuum: autovacuum, holds, seconds },
  };
}
