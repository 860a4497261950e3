import { Duration } from "../duration";
import {
  aboutSameUser,
  aboutUser,
  execute,
  handedOn,
  handOn,
  indent,
  inFormat,
  innerBlock,
  oidOfRole,
  UNCHECKED,
} from "./plpgsql";
import { SESSIONS_END } from "./postgres-statements";
import { bodyLiteral, quoteIdentifier } from "./quote";

/** What the SQL that ends a login depends on. */
export interface RevocationOptions {
  /**
   * How the names begin of the users that this connection issues, and no other does. A user with such a name that is not
   * there has been ended before; any other was issued elsewhere, and its revocation fails.
   *
   * @default - none: a user that is not there is an error
   */
  readonly namePrefix?: string;
  /** Longest time that a revocation may take; it has failed then, and is tried again. @default Duration.seconds(2) */
  readonly timeout?: Duration;
}

/** What belongs to a user, or was granted to it: more is not for the engine to clean up while others wait for it. */
const MOST_OBJECTS = 1000;
/** Milliseconds of the first block: for a lock that keeps it from refusing logins, for ending sessions then, and in all. */
const REFUSING = { lock: 100, sessions: 300, all: 700 };
/** Milliseconds for each lock: others wait for the engine meanwhile. */
const LOCK_TIMEOUT = 300;
/** The same for locks of tables, for which autovacuum lets go of one: it does when somebody has waited deadlock_timeout. */
const TABLE_LOCK_TIMEOUT = 1_200;

/** Milliseconds for the user's sessions to end. */
const ENDING = 900;

/**
 * Revoked means gone: refuses new logins, commits that, ends the sessions of the login and of all that are members of it,
 * hands over what it owned in the connected database, and drops it. Where something cannot be ended it fails: nobody
 * logs in any more then, and the lease stays.
 *
 * @param reassignTo role that gets what the login owned, which has no more rights than the login; without, the revocation of
 * a login that owns something fails
 */
export function terminatingRevocation(reassignTo?: string, options: RevocationOptions = {}): string[] {
  return revocation({ first: terminatingAll(), then: endingSessions() }, reassignTo, options);
}

/**
 * Refuses new logins, commits that, hands over what the login owned and drops it, but leaves its sessions: a transaction
 * that runs goes on and commits, and idle sessions are bounded by the timeouts set at creation. The sessions of a login
 * without these timeouts, or that is marked, which was issued while the role had another kind of revocation, are ended.
 *
 * @param reassignTo role that gets what the login owned, which has no more rights than the login; without, the revocation of
 * a login that owns something fails
 */
export function drainingRevocation(reassignTo?: string, options: RevocationOptions = {}): string[] {
  const endingUnbounded = [
    `IF EXISTS (`,
    `  SELECT FROM ${COMMENT} AND pg_catalog.starts_with(description, $$${SESSIONS_END}$$)`,
    `) OR NOT EXISTS (`,
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
      UNCHECKED,
      aboutUser([USER_OID], refusingLogins(namePrefix)),
      `COMMIT AND CHAIN;`,
      `SET LOCAL statement_timeout = ${timeout.toMilliseconds(REFUSING.all)};`,
      `SET LOCAL lock_timeout = ${LOCK_TIMEOUT};`,
      UNCHECKED,
      aboutSameUser(
        [USER_OID, `starting pg_catalog.int4[];`, `is_idle boolean;`],
        // A revocation that failed is tried again, perhaps after its login was dropped.
        [`IF user_oid IS NOT NULL THEN`, ...indent([...KEPT, ...dropping(ending, reassignTo)]), `END IF;`],
      ),
    ].join("\n"),
  ];
}

/** A server that crashes would have the user again, and the engine no lease of it any more. */
const KEPT = [
  `IF pg_catalog.current_setting($$synchronous_commit$$) OPERATOR(pg_catalog.=) $$off$$ THEN`,
  `  SET LOCAL synchronous_commit = on;`,
  `END IF;`,
];
/** No role or name, as an array; the space keeps Terraform from reading a template. */
const NOBODY = "$$ {}$$";
/** OID of pg_catalog.pg_authid. */
const PG_AUTHID = 1260;
const COMMENT = [
  `pg_catalog.pg_shdescription WHERE objoid OPERATOR(pg_catalog.=) user_oid`,
  `AND classoid OPERATOR(pg_catalog.=) ${PG_AUTHID}`,
].join(" ");
const NOTED_BEFORE = "pg_catalog.strpos(description, $$ of {$$) OPERATOR(pg_catalog.>) 0";
const USER_OID = `user_oid CONSTANT pg_catalog.oid := ${oidOfRole("user_name")};`;
/** PostgreSQL 14 lets a login make others members of itself. */
const LENDS_ITSELF = "pg_catalog.current_setting($$server_version_num$$)::int OPERATOR(pg_catalog.<) 150000";
/** Whether anybody but the engine's login, which is it to end the user, is a member of the user. */
const OTHERS_JOINED = [
  `EXISTS (`,
  `SELECT FROM pg_catalog.pg_auth_members WHERE roleid OPERATOR(pg_catalog.=) user_oid`,
  `AND member OPERATOR(pg_catalog.<>) ${oidOfRole("CURRENT_USER")}::pg_catalog.oid`,
  `)`,
].join(" ");
// Locks before sessions: a backend that comes up meanwhile is in one of the two lists.
const STARTING =
  "ARRAY(SELECT pid FROM pg_catalog.pg_lock_status() WHERE locktype OPERATOR(pg_catalog.=) $$virtualxid$$)";

/** After so many milliseconds. */
function inTime(longest: number): string {
  return `pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) $$${longest} ms$$::interval`;
}

/**
 * How the engine's login becomes a member that inherits, whatever it does by default; before PostgreSQL 16 that cannot be said
 * here.
 */
const JOINING = [
  `joining CONSTANT pg_catalog.text := CASE`,
  `WHEN pg_catalog.current_setting($$server_version_num$$)::int OPERATOR(pg_catalog.<) 160000`,
  `THEN $$GRANT %I TO CURRENT_USER$$ ELSE $$GRANT %I TO CURRENT_USER WITH INHERIT TRUE, SET TRUE$$ END;`,
].join(" ");

function join(name: string): string {
  return `EXECUTE pg_catalog.format(joining, ${name});`;
}

function refusingLogins(namePrefix: string | undefined): string[] {
  const issuedElsewhere =
    namePrefix === undefined
      ? "ELSE"
      : `ELSIF NOT pg_catalog.starts_with(user_name, ${bodyLiteral(namePrefix)}) THEN`;
  return [
    handOn({ acting: NOBODY }),
    `IF user_oid IS NOT NULL THEN`,
    ...indent(forbiddingLogin()),
    `  IF ${OTHERS_JOINED} OR ${LENDS_ITSELF} AND EXISTS (SELECT FROM ${COMMENT} AND ${NOTED_BEFORE}) THEN`,
    `    ${innerBlock(
      [USER_OID, `other pg_catalog.record;`, `mark pg_catalog.text;`, `noted pg_catalog.text;`],
      notingMembers(),
    )}`,
    `  END IF;`,
    issuedElsewhere,
    `  RAISE EXCEPTION $$there is no user % on this server, so that none was ended: it was issued on another one, or dropped by hand$$, user_name;`,
    `END IF;`,
  ];
}

/**
 * A user may change its own password, and so hold its row in a transaction that it leaves open or prepares, or change it again
 * and again. Its sessions are ended then, for a while: others wait for the engine. Where that does not help, its memberships,
 * which nobody but the engine can hold, are revoked, so that a new login has no rights.
 */
function forbiddingLogin(): string[] {
  const forbid = execute("ALTER ROLE %I NOLOGIN", "user_name");
  return [
    `BEGIN`,
    `  ${forbid}`,
    `EXCEPTION WHEN lock_not_available OR internal_error THEN`,
    `  ${innerBlock(
      [
        ...[USER_OID, JOINING, BORROWS, `other pg_catalog.record;`],
        ...[`is_refused boolean := false;`, `give_up pg_catalog.timestamptz;`],
      ],
      [
        `BEGIN`,
        ...indent([
          ...becomingMember(),
          `give_up := ${inTime(REFUSING.sessions)};`,
          `LOOP`,
          `  BEGIN`,
          `    ${forbid}`,
          `    is_refused := true;`,
          `    EXIT;`,
          `  EXCEPTION WHEN lock_not_available OR internal_error THEN`,
          `    EXIT WHEN pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) give_up;`,
          `    PERFORM pg_catalog.pg_stat_clear_snapshot();`,
          ...indent(indent(terminatingAll())),
          `  END;`,
          `END LOOP;`,
        ]),
        `EXCEPTION WHEN OTHERS THEN`,
        `  NULL; -- told below`,
        `END;`,
        `IF NOT is_refused THEN`,
        ...indent(revokingMemberships()),
        `END IF;`,
      ],
    )}`,
    `END;`,
  ];
}

/** What later steps have to know, among those who act for the user: no role has such an OID. */
const [STRIPPED, LATE] = [0, 1];

function noting(what: number): string {
  const noted = `pg_catalog.array_append(${handedOn("acting")}::pg_catalog.oid[], ${what}::pg_catalog.oid)`;
  return `PERFORM pg_catalog.set_config($$credentials.acting$$, ${noted}::pg_catalog.text, false);`;
}

/** What the user has no right to, it cannot lend, nor use in a new session. */
function revokingMemberships(): string[] {
  return [
    noting(STRIPPED),
    `FOR other IN`,
    `  SELECT held.rolname FROM pg_catalog.pg_auth_members`,
    `  JOIN pg_catalog.pg_roles AS held ON held.oid OPERATOR(pg_catalog.=) roleid`,
    `  WHERE member OPERATOR(pg_catalog.=) user_oid`,
    `LOOP`,
    `  BEGIN`,
    `    ${execute("REVOKE %I FROM %I", "other.rolname", "user_name")}`,
    `  EXCEPTION`,
    `    WHEN insufficient_privilege THEN NULL; -- told below`,
    `    WHEN OTHERS THEN EXIT; -- the next try has it`,
    `  END;`,
    `END LOOP;`,
  ];
}

/** @param users array of their OIDs */
function terminatingAll(users = "ARRAY[user_oid]"): string[] {
  return [
    `PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_get_activity(NULL)`,
    `  WHERE usesysid OPERATOR(pg_catalog.=) ANY (${users});`,
  ];
}

/**
 * Notes who is a member of the user, by whichever way but the engine's own login: their sessions may act as the user's base
 * role. A superuser gains nothing by it.
 *
 * Where a login may make others members of itself, they are none any more once this is committed, so that only their sessions
 * of before have to be ended; elsewhere they are none once the user is dropped. The comment of the login keeps who they were
 * for the next try: it takes CREATEROLE to change that.
 */
function notingMembers(): string[] {
  return [
    `SELECT pg_catalog.split_part(description, $$ of $$, 1), pg_catalog.substring(description, $$ of ({[0-9,]*})$$) INTO mark, noted`,
    `  FROM ${COMMENT};`,
    `noted := ARRAY(`,
    `  WITH RECURSIVE linked (id) AS (`,
    `    SELECT user_oid`,
    `    UNION`,
    `    SELECT membership.member FROM linked`,
    `    JOIN pg_catalog.pg_auth_members AS membership ON membership.roleid OPERATOR(pg_catalog.=) linked.id`,
    `    JOIN pg_catalog.pg_roles AS joined ON joined.oid OPERATOR(pg_catalog.=) membership.member`,
    `    WHERE joined.rolname OPERATOR(pg_catalog.<>) CURRENT_USER AND NOT joined.rolsuper`,
    `  )`,
    `  SELECT id FROM linked WHERE id OPERATOR(pg_catalog.<>) user_oid`,
    `  UNION SELECT pg_catalog.unnest(noted::pg_catalog.oid[])`,
    `  UNION SELECT pg_catalog.unnest(${handedOn("acting")}::pg_catalog.oid[])`,
    `)::pg_catalog.text;`,
    `PERFORM pg_catalog.set_config($$credentials.acting$$, noted, false);`,
    `IF ${LENDS_ITSELF} AND ${OTHERS_JOINED} THEN`,
    `  ${execute("COMMENT ON ROLE %I IS %L", "user_name", "pg_catalog.concat(mark, $$ of $$, noted)")}`,
    `  FOR other IN`,
    `    SELECT rolname FROM pg_catalog.pg_auth_members`,
    `    JOIN pg_catalog.pg_roles ON oid OPERATOR(pg_catalog.=) member`,
    `    WHERE roleid OPERATOR(pg_catalog.=) user_oid AND rolname OPERATOR(pg_catalog.<>) CURRENT_USER`,
    `  LOOP`,
    `    BEGIN`,
    `      ${execute("REVOKE %I FROM %I", "user_name", "other.rolname")}`,
    `    EXCEPTION WHEN OTHERS THEN`,
    // Held or changed by somebody, whose session is ended below if it can be: the next try has it.
    ...indent(indent(indent(revokingMemberships()))),
    `      EXIT;`,
    `    END;`,
    `  END LOOP;`,
    `END IF;`,
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
    `      AND ${handedOn("acting")} OPERATOR(pg_catalog.=) ${NOBODY}`,
    `    INTO starting, is_idle;`,
    `  SELECT is_idle AND starting OPERATOR(pg_catalog.<@) pg_catalog.array_agg(pid) FILTER (WHERE usesysid IS NOT NULL)`,
    `      AND pg_catalog.count(CASE WHEN usesysid OPERATOR(pg_catalog.=) user_oid THEN pid END) OPERATOR(pg_catalog.=) 0`,
    `    INTO is_idle FROM pg_catalog.pg_stat_get_activity(NULL);`,
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
      ...becomingMember(),
      ...ending.first,
      `IF ${LATE}::pg_catalog.oid OPERATOR(pg_catalog.=) ANY (acting) THEN`,
      `  RAISE EXCEPTION $$the time is over: the server has very many locks, say, or is slow$$;`,
      `END IF;`,
      ...ending.then,
      ...refusingPrepared(reassignTo),
      `IF (SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE oid OPERATOR(pg_catalog.=) user_oid) THEN`,
      `  RAISE EXCEPTION $$a transaction holds the row of %, so that new logins are not refused, but have no rights any more$$, user_name;`,
      `END IF;`,
      ...handingOver(reassignTo),
      // It may have made some while its sessions and transactions were waited for.
      `IF ${LENDS_ITSELF} AND ${OTHERS_JOINED} THEN`,
      `  RAISE EXCEPTION $$% has made others members of itself meanwhile, so that their sessions may act for it$$, user_name;`,
      `END IF;`,
      drop,
    ])}`,
    `END IF;`,
  ];
}

/** Whether the engine's login makes itself a member of pg_signal_backend for a moment. */
const BORROWS = `borrows boolean;`;

const CLEANING_UP = [
  USER_OID,
  JOINING,
  BORROWS,
  `engine_role CONSTANT pg_catalog.text := pg_catalog.current_setting($$role$$);`,
  `acting CONSTANT pg_catalog.oid[] := ${handedOn("acting")}::pg_catalog.oid[];`,
  `lent pg_catalog.name[] := ${NOBODY};`,
  `borrowed pg_catalog.name;`,
  `other pg_catalog.record;`,
  `starting pg_catalog.int4[];`,
  `known pg_catalog.int4[];`,
  `backend pg_catalog.int4;`,
  `alive int;`,
  `give_up pg_catalog.timestamptz;`,
  `gids pg_catalog.text[];`,
  `objects int;`,
];

/**
 * In PostgreSQL 14 a user can hold the row of that membership as well, or change it again and again. Its sessions are told to
 * end first then, for which a role that creates roles can help itself there.
 */
function becomingMember(): string[] {
  return [
    `BEGIN`,
    `  ${join("user_name")}`,
    `EXCEPTION WHEN OTHERS THEN`,
    `  IF NOT (${LENDS_ITSELF}) THEN`,
    `    RAISE;`,
    `  END IF;`,
    `  borrows := NOT pg_catalog.pg_has_role($$pg_signal_backend$$, $$MEMBER$$);`,
    `  IF borrows THEN GRANT pg_signal_backend TO CURRENT_USER; END IF;`,
    ...indent(terminatingAll(`pg_catalog.array_append(${handedOn("acting")}::pg_catalog.oid[], user_oid)`)),
    `  IF borrows THEN REVOKE pg_signal_backend FROM CURRENT_USER; END IF;`,
    `  ${join("user_name")}`,
    `END;`,
    `IF NOT pg_catalog.pg_has_role(user_oid, $$USAGE$$) THEN`,
    `  RAISE EXCEPTION $$the login % of the engine is NOINHERIT, so that it may not end sessions of %: ALTER ROLE % INHERIT$$, CURRENT_USER, user_name, CURRENT_USER;`,
    `END IF;`,
  ];
}

function endingSessions(): string[] {
  return [
    ...joiningMembers(),
    `give_up := ${inTime(ENDING)};`,
    `LOOP`,
    `  starting := ${STARTING};`,
    `  PERFORM pg_catalog.pg_stat_clear_snapshot();`,
    `  SELECT pg_catalog.array_agg(pid) FILTER (WHERE usesysid IS NOT NULL),`,
    `      pg_catalog.count(CASE WHEN usesysid OPERATOR(pg_catalog.=) user_oid THEN pg_catalog.pg_terminate_backend(pid) END)`,
    `    INTO known, alive FROM pg_catalog.pg_stat_get_activity(NULL);`,
    ...indent(endingMembers()),
    `  IF NOT starting OPERATOR(pg_catalog.<@) known THEN`,
    ...indent(indent(endingStarting())),
    `  END IF;`,
    `  EXIT WHEN alive OPERATOR(pg_catalog.=) 0;`,
    `  IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) give_up THEN`,
    `    RAISE EXCEPTION $$sessions of % could not be ended: % left$$, user_name, alive;`,
    `  END IF;`,
    `  PERFORM pg_catalog.pg_sleep(0.005);`,
    `END LOOP;`,
    ...returningLoans(),
  ];
}

/** To end sessions of those that were members, the engine's login becomes a member of them for the time being. */
function joiningMembers(): string[] {
  return [
    `FOR other IN`,
    `  SELECT rolname FROM pg_catalog.pg_roles`,
    `  WHERE oid OPERATOR(pg_catalog.=) ANY (acting) AND NOT pg_catalog.pg_has_role(oid, $$USAGE$$)`,
    `LOOP`,
    ...indent(borrowing("told below, if it has a session")),
    `END LOOP;`,
  ];
}

function borrowing(otherwise: string): string[] {
  return [
    `BEGIN`,
    `  ${join("other.rolname")}`,
    `  lent := pg_catalog.array_append(lent, other.rolname);`,
    `EXCEPTION WHEN insufficient_privilege THEN`,
    `  NULL; -- ${otherwise}`,
    `END;`,
  ];
}

function returningLoans(): string[] {
  return [
    `FOREACH borrowed IN ARRAY lent LOOP`,
    `  ${execute("REVOKE %I FROM CURRENT_USER", "borrowed")}`,
    `END LOOP;`,
  ];
}

function endingMembers(): string[] {
  return [
    `FOR other IN`,
    `  SELECT pid FROM pg_catalog.pg_stat_get_activity(NULL)`,
    `  WHERE usesysid OPERATOR(pg_catalog.=) ANY (acting)`,
    `    AND (backend_start IS NULL OR backend_start OPERATOR(pg_catalog.<) pg_catalog.statement_timestamp())`,
    `LOOP`,
    `  BEGIN`,
    `    PERFORM pg_catalog.pg_terminate_backend(other.pid);`,
    `    alive := alive OPERATOR(pg_catalog.+) 1;`,
    `  EXCEPTION WHEN insufficient_privilege THEN`,
    `    RAISE EXCEPTION $$process % may act for %, as its login was a member of it, and may not be ended by %$$, other.pid, user_name, CURRENT_USER;`,
    `  END;`,
    `END LOOP;`,
  ];
}

/**
 * A backend that has passed the look at whether its login may log in, but has not come up yet, is in no list of sessions and
 * does not say whose it is; it holds a lock. As the login itself, what may be ended is the login's.
 */
function endingStarting(): string[] {
  return [
    `FOR other IN`,
    `  SELECT rolname FROM pg_catalog.pg_roles`,
    `  WHERE oid OPERATOR(pg_catalog.=) ANY (pg_catalog.array_append(acting, user_oid)) AND pg_catalog.pg_has_role(oid, $$USAGE$$)`,
    `LOOP`,
    `  PERFORM pg_catalog.set_config($$role$$, other.rolname::pg_catalog.text, true);`,
    `  FOREACH backend IN ARRAY starting LOOP`,
    `    CONTINUE WHEN backend OPERATOR(pg_catalog.=) ANY (known);`,
    `    BEGIN`,
    `      IF pg_catalog.pg_terminate_backend(backend) THEN`,
    `        alive := alive OPERATOR(pg_catalog.+) 1;`,
    `      END IF;`,
    `    EXCEPTION WHEN insufficient_privilege THEN`,
    `      NULL; -- that of somebody else`,
    `    END;`,
    `  END LOOP;`,
    `  PERFORM pg_catalog.set_config($$role$$, engine_role, true);`,
    `END LOOP;`,
  ];
}

/**
 * A transaction that was prepared for two-phase commit is no session: it keeps its locks, and others may commit it. Nobody
 * can tell whose it is if it belongs to the base role, so that those that were there when the sessions had ended have to go.
 */
function refusingPrepared(reassignTo: string | undefined): string[] {
  // Its membership may have been revoked by an attempt before.
  const base =
    reassignTo === undefined
      ? []
      : [
          `        OR pg_catalog.pg_has_role(${oidOfRole(bodyLiteral(reassignTo))}::pg_catalog.oid, ownerid, $$MEMBER$$)`,
        ];
  return [
    `FOR attempt IN 0..10 LOOP`,
    `  gids := ARRAY(`,
    `    SELECT gid FROM pg_catalog.pg_prepared_xact() AS waiting`,
    `    WHERE (gids IS NULL OR gid OPERATOR(pg_catalog.=) ANY (gids)) AND (`,
    `      ownerid OPERATOR(pg_catalog.=) ANY (acting) OR pg_catalog.pg_has_role(user_oid, ownerid, $$MEMBER$$)`,
    ...base,
    `    )`,
    `  );`,
    `  EXIT WHEN pg_catalog.cardinality(gids) OPERATOR(pg_catalog.=) 0;`,
    `  IF attempt OPERATOR(pg_catalog.=) 10 THEN`,
    `    RAISE EXCEPTION $$prepared transactions of % or of its base role are left, to be committed or rolled back: %$$, user_name, pg_catalog.array_to_string(gids, $$, $$);`,
    `  END IF;`,
    `  PERFORM pg_catalog.pg_sleep(0.05);`,
    `END LOOP;`,
  ];
}

/**
 * To whoever has no more rights than the user had. To the engine's login it gives nothing: a function or view of the user's would
 * act with the rights of that one, for everybody.
 */
function reassigning(reassignTo: string | undefined): string[] {
  if (reassignTo === undefined) {
    return [
      `IF EXISTS (`,
      `  SELECT FROM pg_catalog.pg_shdepend WHERE refclassid OPERATOR(pg_catalog.=) ${PG_AUTHID}`,
      `  AND refobjid OPERATOR(pg_catalog.=) user_oid AND deptype OPERATOR(pg_catalog.=) $$o$$`,
      `) THEN`,
      `  RAISE EXCEPTION $$user % owns objects, and its role has no base role that gets them: REASSIGN or DROP them, or give the role one$$, user_name;`,
      `END IF;`,
    ];
  }
  return [
    `SET LOCAL lock_timeout = ${TABLE_LOCK_TIMEOUT};`,
    execute(`REASSIGN OWNED BY %I TO ${inFormat(quoteIdentifier(reassignTo))}`, "user_name"),
    `SET LOCAL lock_timeout = ${LOCK_TIMEOUT};`,
  ];
}

/**
 * In this order: DROP OWNED first would delete the login's tables. The bounds keep one user's objects, or a table that is
 * locked, from holding up the engine, which runs one statement list per connection at a time; it tries again later.
 *
 * A right that somebody else has given can be taken back by whoever owns the object alone: the engine's login joins them for
 * the time being.
 */
function handingOver(reassignTo: string | undefined): string[] {
  return [
    `SELECT pg_catalog.count(*) INTO objects FROM (`,
    `  SELECT FROM pg_catalog.pg_shdepend`,
    `  WHERE refclassid OPERATOR(pg_catalog.=) ${PG_AUTHID}`,
    `    AND refobjid OPERATOR(pg_catalog.=) user_oid LIMIT ${MOST_OBJECTS + 1}`,
    `) AS dependent;`,
    `IF objects OPERATOR(pg_catalog.>) ${MOST_OBJECTS} THEN`,
    `  RAISE EXCEPTION $$user % owns or has rights on more than ${MOST_OBJECTS} objects: hand them over with vault-postgres hand-over$$, user_name;`,
    `ELSIF objects OPERATOR(pg_catalog.>) 0 THEN`,
    `  lent := ${NOBODY};`,
    ...indent(reassigning(reassignTo)),
    `  FOR other IN`,
    `    SELECT DISTINCT owner.rolname FROM pg_catalog.pg_shdepend AS given`,
    `    JOIN pg_catalog.pg_shdepend AS owned ON owned.dbid OPERATOR(pg_catalog.=) given.dbid`,
    `      AND owned.classid OPERATOR(pg_catalog.=) given.classid AND owned.objid OPERATOR(pg_catalog.=) given.objid`,
    `      AND owned.deptype OPERATOR(pg_catalog.=) $$o$$`,
    `    JOIN pg_catalog.pg_roles AS owner ON owner.oid OPERATOR(pg_catalog.=) owned.refobjid`,
    `    WHERE given.refclassid OPERATOR(pg_catalog.=) ${PG_AUTHID}`,
    `      AND given.refobjid OPERATOR(pg_catalog.=) user_oid AND given.deptype OPERATOR(pg_catalog.=) $$a$$`,
    `      AND NOT pg_catalog.pg_has_role(owner.oid, $$USAGE$$)`,
    `  LOOP`,
    ...indent(indent(borrowing("told by DROP ROLE"))),
    `  END LOOP;`,
    `  ${execute("DROP OWNED BY %I", "user_name")}`,
    ...indent(returningLoans()),
    `END IF;`,
  ];
}
