import { Duration } from "../duration";
import { aboutSameUser, aboutUser, execute, handedOn, indent, innerBlock } from "./plpgsql";
import { actingFor, becomingMember, BORROWS, JOINING } from "./postgres-members";
import { REFUSING, refusingLogins } from "./postgres-refusal";
import { handingOver, refusingPrepared } from "./postgres-remains";
import { endingSessions } from "./postgres-sessions";
import { SESSIONS_END } from "./postgres-statements";
import {
  COMMENT,
  KEEPING,
  LATE,
  LENDS_ITSELF,
  LOCK_TIMEOUT,
  NOBODY,
  noting,
  OTHERS_JOINED,
  STARTING,
  STRIPPED,
  USER_OID,
  TAKES_MEMBERSHIPS,
  terminatingAll,
} from "./postgres-user";

/** What the SQL that ends a login depends on. */
export interface RevocationOptions {
  /**
   * How the names begin of the users that this connection issues, and no other does. A user with such a name that is not
   * there has been ended before; any other was issued elsewhere, and its revocation fails.
   *
   * @default - none: a user that is not there is an error
   */
  readonly namePrefix?: string;
  /** Longest time that a revocation may take; it has failed then, and the lease stays. @default Duration.seconds(2) */
  readonly timeout?: Duration;
}

/**
 * Revoked means gone: refuses new logins, commits that, ends the sessions of the login and of all that are members of it,
 * hands over what it owned in the connected database, and drops it. Where something cannot be ended it fails: nobody
 * logs in any more then, and the lease stays.
 *
 * @param reassignTo role that gets what the login owned, if the login is a member of it; otherwise the one role that it is a
 * member of does. Where there is none, or without this, the revocation of a login that owns something fails
 */
export function terminatingRevocation(reassignTo?: string, options: RevocationOptions = {}): string[] {
  return revocation({ first: terminatingAll(), then: endingSessions() }, reassignTo, options);
}

/**
 * Refuses new logins, commits that, hands over what the login owned and drops it, but leaves its sessions: a transaction
 * that runs goes on and commits, and idle sessions are bounded by the timeouts set at creation. The sessions of a login
 * without these timeouts, or that is marked, which was issued while the role had another kind of revocation, are ended; so are, on
 * PostgreSQL 14, those of a login that has made others members of itself, and theirs.
 *
 * @param reassignTo role that gets what the login owned, if the login is a member of it; otherwise the one role that it is a
 * member of does. Where there is none, or without this, the revocation of a login that owns something fails
 */
export function drainingRevocation(reassignTo?: string, options: RevocationOptions = {}): string[] {
  const endingUnbounded = [
    `IF EXISTS (`,
    `  SELECT FROM ${COMMENT} WHERE pg_catalog.starts_with(description, $$${SESSIONS_END}$$)`,
    // Whom a user of PostgreSQL 14 has made members of itself has no bound.
    `) OR ${LENDS_ITSELF} AND pg_catalog.array_remove(acting, ${STRIPPED}::pg_catalog.oid) OPERATOR(pg_catalog.<>) ${NOBODY} OR NOT EXISTS (`,
    `  SELECT FROM pg_catalog.pg_roles, pg_catalog.unnest(rolconfig) AS setting`,
    `  WHERE oid OPERATOR(pg_catalog.=) user_oid AND pg_catalog.starts_with(setting, $$idle_session_timeout=$$)`,
    `) THEN`,
    ...indent(endingSessions()),
    `END IF;`,
  ];
  return revocation({ first: [], then: endingUnbounded }, reassignTo, options);
}

/** How sessions end. */
interface Ending {
  /** Before a catalog is read that somebody may have locked. */
  readonly first: readonly string[];
  readonly then: readonly string[];
}

/**
 * One element of the list, which the engine sends as it is, since it holds the word END: PostgreSQL runs one statement after the
 * other, each with the time that it may take of its own. The engine keeps the text with each lease and searches it for each
 * literal, so that it is short, and has few.
 *
 * It commits after the first block, though an engine runs revocation in one transaction: in it, a NOLOGIN is invisible to
 * others until it ends, so that clients that reconnect in a loop survived, and it would be undone where the rest fails.
 */
function revocation(
  ending: Ending,
  reassignTo: string | undefined,
  { namePrefix, timeout = Duration.seconds(2) }: RevocationOptions,
): string[] {
  return [
    [
      // Where the engine finds it at once, it does not search the whole of the text.
      `-- The word END keeps the engine from splitting this.`,
      `SET LOCAL lock_timeout = ${REFUSING.lock};`,
      aboutUser([USER_OID], refusingLogins(namePrefix)),
      `COMMIT AND CHAIN;`,
      `SET LOCAL statement_timeout = ${timeout.toMilliseconds(REFUSING.all)};`,
      `SET LOCAL lock_timeout = ${LOCK_TIMEOUT};`,
      aboutSameUser(
        [USER_OID, `starting int[];`, `is_idle boolean;`],
        // A revocation that failed is tried again, perhaps after its login was dropped.
        [`IF user_oid IS NOT NULL THEN`, ...indent(dropping(ending, reassignTo)), `END IF;`],
      ),
    ]
      .join("\n")
      // Half of the indentation: each kilobyte of the text costs a hundredth of the whole.
      .replaceAll(/^ +/gm, (blanks) => blanks.slice(blanks.length / 2)),
  ];
}

/** In the usual case, where nobody acts for the user any more and it left nothing, two queries and the server see that. */
function dropping(ending: Ending, reassignTo: string | undefined): string[] {
  const drop = execute("DROP ROLE %I", "user_name");
  return [
    `BEGIN`,
    `  SELECT ${STARTING},`,
    `      NOT (${LENDS_ITSELF})`,
    `      AND pg_catalog.current_setting($$max_prepared_transactions$$) OPERATOR(pg_catalog.=) $$0$$`,
    `      AND ${handedOn("acting")} OPERATOR(pg_catalog.=) ${NOBODY} AND NOT ${OTHERS_JOINED}`,
    `    INTO starting, is_idle;`,
    `  SELECT is_idle AND pg_catalog.bool_and(pg_catalog.pg_stat_get_backend_userid(id) OPERATOR(pg_catalog.<>) user_oid)`,
    `      AND starting OPERATOR(pg_catalog.<@) pg_catalog.array_agg(CASE WHEN pg_catalog.pg_stat_get_backend_userid(id) OPERATOR(pg_catalog.>) 0::pg_catalog.oid THEN pg_catalog.pg_stat_get_backend_pid(id) END)`,
    `    INTO is_idle FROM pg_catalog.pg_stat_get_backend_idset() AS id;`,
    `  IF is_idle THEN`,
    `    ${drop}`,
    `  END IF;`,
    `EXCEPTION`,
    `  WHEN dependent_objects_still_exist THEN`,
    `    is_idle := false;`,
    // A session can fill a large table of locks, which takes so long to read. Without it, the next try has the time.
    `  WHEN query_canceled THEN`,
    `    is_idle := false;`,
    `    ${noting(LATE)}`,
    `END;`,
    `IF NOT is_idle THEN`,
    `  ${innerBlock(CLEANING_UP, [
      // Where the above failed, it was taken back with it.
      ...KEEPING,
      ...becomingMember(),
      ...ending.first,
      // Not before: it reads what somebody may have locked.
      `acting := ${actingFor().join("\n")};`,
      `IF ${LATE}::pg_catalog.oid OPERATOR(pg_catalog.=) ANY (acting) THEN`,
      `  RAISE EXCEPTION $$the time is over: the server has very many locks, say, or is slow$$;`,
      `END IF;`,
      ...ending.then,
      ...refusingPrepared(reassignTo),
      `IF (SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE oid OPERATOR(pg_catalog.=) user_oid) THEN`,
      `  RAISE EXCEPTION $$a transaction holds the row of %, so that new logins are not refused, but have no rights any more$$, user_name;`,
      `END IF;`,
      ...handingOver(reassignTo),
      // Some may have been made while its sessions and transactions were waited for.
      `IF ${TAKES_MEMBERSHIPS} AND ${OTHERS_JOINED} THEN`,
      `  RAISE EXCEPTION $$others were made members of % meanwhile, so that their sessions may act for it$$, user_name;`,
      `END IF;`,
      drop,
    ])}`,
    `END IF;`,
  ];
}

const CLEANING_UP = [
  USER_OID,
  JOINING,
  BORROWS,
  `begun CONSTANT pg_catalog.timestamptz := pg_catalog.clock_timestamp();`,
  `engine_role CONSTANT pg_catalog.text := pg_catalog.current_setting($$role$$);`,
  `acting pg_catalog.oid[];`,
  `lent pg_catalog.name[] := ${NOBODY};`,
  `borrowed pg_catalog.name;`,
  `other pg_catalog.record;`,
  `starting int[];`,
  `known int[];`,
  `backend int;`,
  `alive int;`,
  `give_up pg_catalog.timestamptz;`,
  `gids pg_catalog.text[];`,
  `held_before pg_catalog.oid[];`,
  `heir pg_catalog.text;`,
  `objects int;`,
];
