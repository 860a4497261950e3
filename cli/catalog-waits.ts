import type { Client } from "pg";
import { UserError } from "./errors";

/** PostgreSQL keeps everybody waiting who needs one of its catalogs or a database, as somebody has a lock on it, or waits for one. */
export class CatalogWait extends UserError {
  constructor(problem: string, remedy: string) {
    super(problem, remedy);
    this.name = "CatalogWait";
  }
}

/** A process that has a lock on a system catalog or a database that shuts others out, or waits for one, with all others behind it. */
interface Waiter {
  /** `null` for a prepared transaction. */
  readonly pid: number | null;
  /** Absent for a lock on a database. */
  readonly relation: number | null;
  /** Absent for a lock on a catalog. */
  readonly database: number | null;
  readonly mode: string;
  readonly granted: boolean;
  /** Processes that it waits for; 0 for a prepared transaction. */
  readonly heldBy: readonly number[];
}

/** Catalogs that PostgreSQL needs to let anybody in, or to change a role, by OID, which are the same everywhere. */
const CATALOGS: Readonly<Record<number, string>> = {
  1213: "pg_tablespace",
  1214: "pg_shdepend",
  1247: "pg_type",
  1249: "pg_attribute",
  1255: "pg_proc",
  1259: "pg_class",
  1260: "pg_authid",
  1261: "pg_auth_members",
  1262: "pg_database",
  2396: "pg_shdescription",
  2608: "pg_depend",
  2615: "pg_namespace",
  2964: "pg_db_role_setting",
};

/** OIDs of what is PostgreSQL's own are below. */
const FIRST_OTHER_OID = 16_384;
/** OID of pg_database: a lock on one of its databases keeps everybody from logging in to that. */
const DATABASES = 1_262;
const IS_EVERYBODYS =
  `((locktype OPERATOR(pg_catalog.=) 'relation' AND relation OPERATOR(pg_catalog.<) ${FIRST_OTHER_OID}::pg_catalog.oid) OR ` +
  `(locktype OPERATOR(pg_catalog.=) 'object' AND classid OPERATOR(pg_catalog.=) ${DATABASES}::pg_catalog.oid))`;
const MOST_TOLD = 5;

/** It needs no catalog that somebody is likely to wait for: no role is looked up, and no name of a session. */
const WAITERS = `
  SELECT pid, relation::bigint::double precision AS relation, mode, granted,
    CASE WHEN locktype OPERATOR(pg_catalog.=) 'object' THEN objid::bigint::double precision END AS database,
    CASE WHEN granted THEN ARRAY[]::int[] ELSE pg_catalog.pg_blocking_pids(pid) END AS "heldBy"
  FROM pg_catalog.pg_locks
  WHERE ${IS_EVERYBODYS}
    AND (mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock' OR mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
      OR mode OPERATOR(pg_catalog.=) 'ShareRowExclusiveLock' OR mode OPERATOR(pg_catalog.=) 'ShareLock')
  ORDER BY granted, pid`;

/** How it is found by hand. */
const BY_HAND =
  "SELECT pid, pg_catalog.pg_blocking_pids(pid) FROM pg_catalog.pg_locks WHERE NOT granted AND " +
  `mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock' AND ${IS_EVERYBODYS};`;
const SEE = 'docs/troubleshooting.md says more: "Everybody waits for a system catalog".';

/** Whose lock on a system catalog keeps queries waiting; undefined if it is nobody's. */
export async function catalogWait(client: Client, where: string): Promise<CatalogWait | undefined> {
  const { rows } = await client.query<Waiter>(WAITERS);
  if (rows.length === 0) return undefined;
  const told = rows.slice(0, MOST_TOLD).map(textOf);
  const pids = [...new Set(rows.flatMap(({ pid, heldBy }) => [pid, ...heldBy]))].filter(
    (pid): pid is number => pid !== null && pid !== 0,
  );
  const what = rows.some(({ database }) => database === null) ? "a system catalog" : "a database";
  const isPrepared = rows.some(({ pid, heldBy }) => pid === null || heldBy.includes(0));
  return new CatalogWait(
    `${where} keeps us waiting for ${what}: ${told.join("; ")}. Whoever needs that waits behind it, Vault's ` +
      "engine too: its revocations fail, and do not end a session.",
    [
      `End these, as a superuser: ${pids.map((pid) => `SELECT pg_catalog.pg_terminate_backend(${pid});`).join(" ")}`,
      ...(isPrepared
        ? ["And the prepared transaction: SELECT gid FROM pg_catalog.pg_prepared_xacts; ROLLBACK PREPARED …"]
        : []),
      `Where no superuser can log in, end them on the server's machine: kill ${pids.join(" ")}`,
      SEE,
    ].join("\n"),
  );
}

/** Nobody can log in, so that who waits cannot be told from here. */
export function loginHangs(where: string, seconds: number): CatalogWait {
  return new CatalogWait(
    `${where} takes connections, and lets nobody in within ${seconds} s. So it is where somebody waits for a lock on a system ` +
      "catalog that each login needs, such as pg_authid or pg_db_role_setting, or on the database, or on each database of the " +
      "server: all others wait behind it, superusers too.",
    [
      `As a superuser that is logged in already: ${BY_HAND} Then pg_catalog.pg_terminate_backend of each of these.`,
      "Where there is none, on the server's machine: ps -eo pid,args | grep 'postgres:.*waiting' names the process that waits with a " +
        "command such as CREATE RULE or DROP DATABASE, not with startup or authentication. End it by its pid: kill <pid>",
      SEE,
    ].join("\n"),
  );
}

function textOf({ pid, relation, database, mode, granted, heldBy }: Waiter): string {
  const whose = pid === null ? "a prepared transaction" : `process ${pid}`;
  const catalog =
    database !== null
      ? `the database with OID ${database}`
      : (CATALOGS[relation ?? 0] ?? `the catalog with OID ${relation}`);
  const behind = heldBy.map((one) => (one === 0 ? "a prepared transaction" : `process ${one}`));
  return granted
    ? `${whose} has a lock (${mode}) on ${catalog}`
    : `${whose} waits for a lock (${mode}) on ${catalog}${behind.length > 0 ? `, behind ${behind.join(", ")}` : ""}`;
}
