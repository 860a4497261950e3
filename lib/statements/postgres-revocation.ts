import { Duration } from "../duration";
import { aboutUser, execute, indent, inFormat, innerBlock, oidOfRole } from "./plpgsql";
import { SESSIONS_END } from "./postgres-statements";
import { quoteIdentifier, quoteLiteral } from "./quote";

/** What the SQL that ends a login depends on. */
export interface RevocationOptions {
  /**
   * How the names begin of the users that this connection issues, and no other does. A user with such a name that is not
   * there has been ended before; any other was issued elsewhere, and its revocation fails.
   *
   * @default - none: a user that is not there is an error
   */
  readonly namePrefix?: string;
  /** Longest time that a revocation may take; it has failed then, and is tried again. @default Duration.seconds(10) */
  readonly timeout?: Duration;
}

/** Whether anybody but the engine's login, which is it to end the user, is a member of the user. */
const OTHERS_JOINED = [
  `EXISTS (`,
  `SELECT FROM pg_catalog.pg_auth_members WHERE roleid OPERATOR(pg_catalog.=) user_oid`,
  `AND member OPERATOR(pg_catalog.<>) ${oidOfRole("CURRENT_USER")}::pg_catalog.oid`,
  `)`,
].join(" ");
/** What belongs to a user, or was granted to it: more is not for the engine to clean up while others wait for it. */
const MOST_OBJECTS = 1000;
/** For each lock: others wait for the engine meanwhile. */
const LOCK_TIMEOUT = "300ms";
/** Sessions that were told to end become fewer within this time, or the revocation fails. */
const WITHOUT_PROGRESS = "1500 milliseconds";

/**
 * Revoked means gone: refuses new logins, commits that, ends the sessions of the login and of all that are members of it,
 * hands over what it owned in the connected database, and drops it. Where something cannot be ended it fails: nobody
 * logs in any more then, and the lease stays.
 *
 * @param reassignTo role that gets what the login owned; the engine's own login if absent
 */
export function terminatingRevocation(reassignTo?: string, options: RevocationOptions = {}): string[] {
  return inOneMessage(
    ...refusingLogins(options),
    aboutUser(
      DECLARATIONS,
      ifStillThere(...endingSessions(), ...refusingPrepared(), ...handingOverAndDropping(reassignTo)),
    ),
  );
}

/**
 * Refuses new logins, commits that, hands over what the login owned and drops it, but leaves its sessions: a transaction
 * that runs goes on and commits, and idle sessions are bounded by the timeouts set at creation. The sessions of a login
 * without these timeouts, or that is marked, which was issued while the role had another kind of revocation, are ended.
 *
 * @param reassignTo role that gets what the login owned; the engine's own login if absent
 */
export function drainingRevocation(reassignTo?: string, options: RevocationOptions = {}): string[] {
  return inOneMessage(
    ...refusingLogins(options),
    aboutUser(
      DECLARATIONS,
      ifStillThere(
        `IF EXISTS (`,
        `  SELECT FROM pg_catalog.pg_shdescription WHERE objoid OPERATOR(pg_catalog.=) user_oid`,
        `  AND classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid`,
        `  AND description OPERATOR(pg_catalog.=) ${quoteLiteral(SESSIONS_END)}`,
        `) OR NOT EXISTS (`,
        `  SELECT FROM pg_catalog.pg_roles, pg_catalog.unnest(rolconfig) AS setting`,
        `  WHERE oid OPERATOR(pg_catalog.=) user_oid AND pg_catalog.starts_with(setting, 'idle_session_timeout=')`,
        `) THEN`,
        ...indent(endingSessions()),
        `END IF;`,
        ...refusingPrepared(),
        ...handingOverAndDropping(reassignTo),
      ),
    ),
  );
}

/**
 * One element of the list, which the engine sends as it is, since it holds the word END: PostgreSQL runs one statement after the
 * other, each with the time that it may take of its own.
 */
function inOneMessage(...statements: readonly string[]): string[] {
  return [statements.join("\n")];
}

/**
 * A transaction of its own, though an engine runs revocation in one: in it, a NOLOGIN is invisible to others until it ends, so
 * that clients that reconnect in a loop survived, and it would be undone where the rest fails.
 */
function refusingLogins({ namePrefix, timeout = Duration.seconds(10) }: RevocationOptions): string[] {
  const issuedElsewhere =
    namePrefix === undefined
      ? "ELSE"
      : `ELSIF NOT pg_catalog.starts_with(user_name, ${quoteLiteral(namePrefix)}) THEN`;
  return [
    aboutUser(
      [USER_OID],
      [
        `PERFORM pg_catalog.set_config('${ACTING}', '{}', false);`,
        `IF user_oid IS NOT NULL THEN`,
        ...indent(forbiddingLogin()),
        `  IF ${LENDS_ITSELF} THEN`,
        `    ${innerBlock([USER_OID, `other pg_catalog.record;`], partingMembers())}`,
        `  END IF;`,
        issuedElsewhere,
        `  RAISE EXCEPTION 'there is no user % on this server, so that none was ended: it was issued on another one, or dropped by hand', user_name;`,
        `END IF;`,
      ],
    ),
    `COMMIT AND CHAIN;`,
    `SET LOCAL statement_timeout = ${timeout.toMilliseconds()};`,
  ];
}

/**
 * A user may change its own password, and so hold its row in a transaction that it leaves open, or change it again and again:
 * its sessions are ended then. Nobody else has to wait for it.
 */
function forbiddingLogin(): string[] {
  const forbid = execute("ALTER ROLE %I NOLOGIN", "user_name");
  return [
    `PERFORM pg_catalog.set_config('lock_timeout', '100ms', true);`,
    `BEGIN`,
    `  ${forbid}`,
    `EXCEPTION WHEN lock_not_available OR internal_error THEN`,
    `  ${innerBlock(
      [USER_OID, `give_up pg_catalog.timestamptz := ${inTime(WITHOUT_PROGRESS)};`],
      [
        ...joining("user_name"),
        `LOOP`,
        `  BEGIN`,
        `    ${forbid}`,
        `    EXIT;`,
        `  EXCEPTION WHEN lock_not_available OR internal_error THEN`,
        `    IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) give_up THEN`,
        `      RAISE;`,
        `    END IF;`,
        `    PERFORM pg_catalog.pg_stat_clear_snapshot();`,
        `    PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_get_activity(NULL)`,
        `      WHERE usesysid OPERATOR(pg_catalog.=) user_oid;`,
        `  END;`,
        `END LOOP;`,
      ],
    )}`,
    `END;`,
  ];
}

/** As a member that inherits, whatever the engine's login does by default; before PostgreSQL 16 that cannot be said here. */
function joining(name: string): string[] {
  return [
    `IF pg_catalog.current_setting('server_version_num')::int OPERATOR(pg_catalog.>=) 160000 THEN`,
    `  ${execute("GRANT %I TO CURRENT_USER WITH INHERIT TRUE, SET TRUE", name)}`,
    `ELSE`,
    `  ${execute("GRANT %I TO CURRENT_USER", name)}`,
    `END IF;`,
  ];
}

function inTime(interval: string): string {
  return `pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) ${quoteLiteral(interval)}::interval`;
}

/** Setting of the engine's session that keeps, from one element to the next, who could act for the user. */
const ACTING = "credentials.acting";
/** PostgreSQL 14 lets a login make others members of itself. */
const LENDS_ITSELF = "pg_catalog.current_setting('server_version_num')::int OPERATOR(pg_catalog.<) 150000";
const USER_OID = `user_oid CONSTANT pg_catalog.oid := ${oidOfRole("user_name")};`;

/**
 * Who is a member of the user, by whichever way but the engine's own login, which has become one to end the user. Its sessions
 * may act as the user's base role. A superuser gains nothing by it.
 */
const MEMBERS = [
  `ARRAY(`,
  `  WITH RECURSIVE acting (id) AS (`,
  `    SELECT user_oid`,
  `    UNION`,
  `    SELECT membership.member FROM acting`,
  `    JOIN pg_catalog.pg_auth_members AS membership ON membership.roleid OPERATOR(pg_catalog.=) acting.id`,
  `    JOIN pg_catalog.pg_roles AS joined ON joined.oid OPERATOR(pg_catalog.=) membership.member`,
  `    WHERE joined.rolname OPERATOR(pg_catalog.<>) CURRENT_USER AND NOT joined.rolsuper`,
  `  )`,
  `  SELECT id FROM acting WHERE id OPERATOR(pg_catalog.<>) user_oid`,
  `)`,
];

/**
 * Where a login may make others members of itself, whoever is one is noted, and is none any more once this is committed: so
 * only its sessions of before have to be ended.
 */
function partingMembers(): string[] {
  const [first, ...rest] = MEMBERS;
  return [
    `PERFORM pg_catalog.set_config('${ACTING}', ${first}`,
    ...rest.slice(0, -1),
    `)::pg_catalog.text, false);`,
    `FOR other IN`,
    `  SELECT rolname FROM pg_catalog.pg_auth_members`,
    `  JOIN pg_catalog.pg_roles ON oid OPERATOR(pg_catalog.=) member`,
    `  WHERE roleid OPERATOR(pg_catalog.=) user_oid AND rolname OPERATOR(pg_catalog.<>) CURRENT_USER`,
    `LOOP`,
    `  ${execute("REVOKE %I FROM %I", "user_name", "other.rolname")}`,
    `END LOOP;`,
  ];
}

const DECLARATIONS = [
  USER_OID,
  `starting pg_catalog.int4[];`,
  `is_joined boolean;`,
  `is_quiet boolean;`,
  `objects int;`,
];

/** A revocation that failed is tried again, perhaps after its login was dropped. */
function ifStillThere(...lines: string[]): string[] {
  return [`IF user_oid IS NOT NULL THEN`, ...indent(lines), `END IF;`];
}

// Locks before sessions: a backend that comes up meanwhile is in one of the two lists.
const STARTING =
  "ARRAY(SELECT pid FROM pg_catalog.pg_lock_status() WHERE locktype OPERATOR(pg_catalog.=) 'virtualxid')";

/** In the usual case, where nobody acts for the user any more, two queries see that; they are planned anew each time. */
function endingSessions(): string[] {
  return [
    `SELECT`,
    `  ${STARTING},`,
    `  ${OTHERS_JOINED},`,
    `  ${countObjects()}`,
    `INTO starting, is_joined, objects;`,
    `SELECT starting OPERATOR(pg_catalog.<@) pg_catalog.array_agg(pid) FILTER (WHERE usesysid IS NOT NULL)`,
    `    AND pg_catalog.count(CASE WHEN usesysid OPERATOR(pg_catalog.=) user_oid THEN pid END) OPERATOR(pg_catalog.=) 0`,
    `  INTO is_quiet FROM pg_catalog.pg_stat_get_activity(NULL);`,
    `IF is_joined OR NOT is_quiet OR pg_catalog.current_setting('${ACTING}') OPERATOR(pg_catalog.<>) '{}' THEN`,
    `  ${innerBlock(ENDING, endAll())}`,
    `  objects := NULL;`,
    `END IF;`,
  ];
}

/** Roles that are, or were, members of the user. */
const WERE_MEMBERS = `acting pg_catalog.oid[] := pg_catalog.current_setting('${ACTING}')::pg_catalog.oid[];`;

const ENDING = [
  USER_OID,
  `engine_role CONSTANT pg_catalog.text := pg_catalog.current_setting('role');`,
  WERE_MEMBERS,
  `lent pg_catalog.name[] := '{}';`,
  `borrowed pg_catalog.name;`,
  `other pg_catalog.record;`,
  `starting pg_catalog.int4[];`,
  `known pg_catalog.int4[];`,
  `backend pg_catalog.int4;`,
  `alive int;`,
  `fewest int;`,
  `give_up pg_catalog.timestamptz;`,
];

function endAll(): string[] {
  return [
    ...joining("user_name"),
    `IF NOT pg_catalog.pg_has_role(user_oid, 'USAGE') THEN`,
    `  RAISE EXCEPTION 'the engine''s login % is NOINHERIT, so that it may not end sessions of %: ALTER ROLE % INHERIT', CURRENT_USER, user_name, CURRENT_USER;`,
    `END IF;`,
    // Only others than the user can have made them members: they are no more once it is dropped.
    `IF NOT (${LENDS_ITSELF}) THEN`,
    `  acting := ${MEMBERS[0]}`,
    ...indent(MEMBERS.slice(1, -1)),
    `  );`,
    `END IF;`,
    `IF pg_catalog.cardinality(acting) OPERATOR(pg_catalog.>) 0 THEN`,
    ...indent(joinMembers()),
    `END IF;`,
    `LOOP`,
    `  starting := ${STARTING};`,
    `  PERFORM pg_catalog.pg_stat_clear_snapshot();`,
    `  SELECT pg_catalog.array_agg(pid) FILTER (WHERE usesysid IS NOT NULL),`,
    `      pg_catalog.count(CASE WHEN usesysid OPERATOR(pg_catalog.=) user_oid THEN pg_catalog.pg_terminate_backend(pid) END)`,
    `    INTO known, alive FROM pg_catalog.pg_stat_get_activity(NULL);`,
    `  IF pg_catalog.cardinality(acting) OPERATOR(pg_catalog.>) 0 THEN`,
    ...indent(indent(endMembers())),
    `  END IF;`,
    `  IF NOT starting OPERATOR(pg_catalog.<@) known THEN`,
    ...indent(indent(endStarting())),
    `  END IF;`,
    `  EXIT WHEN alive OPERATOR(pg_catalog.=) 0;`,
    `  IF fewest IS NULL OR alive OPERATOR(pg_catalog.<) fewest THEN`,
    `    fewest := alive;`,
    `    give_up := ${inTime(WITHOUT_PROGRESS)};`,
    `  ELSIF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) give_up THEN`,
    `    RAISE EXCEPTION 'sessions of % could not be ended: % left', user_name, alive;`,
    `  END IF;`,
    `  PERFORM pg_catalog.pg_sleep(0.005);`,
    `END LOOP;`,
    // It may have made more while its sessions were ended.
    `IF ${LENDS_ITSELF} THEN`,
    `  IF ${OTHERS_JOINED} THEN`,
    `    RAISE EXCEPTION '% has made others members of itself meanwhile, so that their sessions may act for it', user_name;`,
    `  END IF;`,
    `END IF;`,
    `FOREACH borrowed IN ARRAY lent LOOP`,
    `  ${execute("REVOKE %I FROM CURRENT_USER", "borrowed")}`,
    `END LOOP;`,
  ];
}

/** To end sessions of those that were members, the engine's login becomes a member of them for the time being. */
function joinMembers(): string[] {
  return [
    `FOR other IN`,
    `  SELECT rolname FROM pg_catalog.pg_roles`,
    `  WHERE oid OPERATOR(pg_catalog.=) ANY (acting) AND NOT pg_catalog.pg_has_role(oid, 'USAGE')`,
    `LOOP`,
    `  BEGIN`,
    ...indent(indent(joining("other.rolname"))),
    `    lent := pg_catalog.array_append(lent, other.rolname);`,
    `  EXCEPTION WHEN insufficient_privilege THEN`,
    `    NULL; -- told below, if it has a session`,
    `  END;`,
    `END LOOP;`,
  ];
}

function endMembers(): string[] {
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
    `    RAISE EXCEPTION 'process % may act for %, as its login was a member of it, and may not be ended by %', other.pid, user_name, CURRENT_USER;`,
    `  END;`,
    `END LOOP;`,
  ];
}

/**
 * A backend that has passed the look at whether its login may log in, but has not come up yet, is in no list of sessions and
 * does not say whose it is; it holds a lock. As the login itself, what may be ended is the login's.
 */
function endStarting(): string[] {
  return [
    `FOR other IN`,
    `  SELECT rolname FROM pg_catalog.pg_roles`,
    `  WHERE oid OPERATOR(pg_catalog.=) ANY (pg_catalog.array_append(acting, user_oid)) AND pg_catalog.pg_has_role(oid, 'USAGE')`,
    `LOOP`,
    `  PERFORM pg_catalog.set_config('role', other.rolname::pg_catalog.text, true);`,
    `  FOREACH backend IN ARRAY starting LOOP`,
    `    CONTINUE WHEN backend OPERATOR(pg_catalog.=) ANY (known);`,
    `    BEGIN`,
    `      IF pg_catalog.pg_terminate_backend(backend) THEN`,
    `        alive := alive OPERATOR(pg_catalog.+) 1;`,
    `      END IF;`,
    `    EXCEPTION WHEN insufficient_privilege THEN`,
    `      NULL; -- somebody else's`,
    `    END;`,
    `  END LOOP;`,
    `  PERFORM pg_catalog.set_config('role', engine_role, true);`,
    `END LOOP;`,
  ];
}

/**
 * A transaction that was prepared for two-phase commit is no session: it keeps its locks, and others may commit it. Nobody
 * can tell whose it is if it belongs to the base role, so that those that were there when the sessions had ended have to go.
 */
function refusingPrepared(): string[] {
  return [
    `IF pg_catalog.current_setting('max_prepared_transactions') OPERATOR(pg_catalog.<>) '0' THEN`,
    `  ${innerBlock(
      [USER_OID, WERE_MEMBERS, `gids pg_catalog.text[];`],
      [
        `FOR attempt IN 0..20 LOOP`,
        `  gids := ARRAY(`,
        `    SELECT gid FROM pg_catalog.pg_prepared_xact() AS waiting`,
        `    WHERE (gids IS NULL OR gid OPERATOR(pg_catalog.=) ANY (gids)) AND (`,
        `      ownerid OPERATOR(pg_catalog.=) ANY (acting) OR pg_catalog.pg_has_role(user_oid, ownerid, 'MEMBER')`,
        `    )`,
        `  );`,
        `  EXIT WHEN pg_catalog.cardinality(gids) OPERATOR(pg_catalog.=) 0;`,
        `  IF attempt OPERATOR(pg_catalog.=) 20 THEN`,
        `    RAISE EXCEPTION 'prepared transactions of % or of its base role are left, to be committed or rolled back: %', user_name, pg_catalog.array_to_string(gids, ', ');`,
        `  END IF;`,
        `  PERFORM pg_catalog.pg_sleep(0.05);`,
        `END LOOP;`,
      ],
    )}`,
    `  objects := NULL;`,
    `END IF;`,
  ];
}

/** How much belongs to the user or was granted to it, in every database; counted no further than it matters. */
function countObjects(): string {
  return [
    `(SELECT pg_catalog.count(*) FROM (`,
    `SELECT FROM pg_catalog.pg_shdepend`,
    `WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid`,
    `AND refobjid OPERATOR(pg_catalog.=) user_oid LIMIT ${MOST_OBJECTS + 1}`,
    `) AS dependent)`,
  ].join(" ");
}

/**
 * In this order: DROP OWNED first would delete the login's tables. The bounds keep one user's objects, or a table that is
 * locked, from holding up the engine, which runs one statement list per connection at a time; it tries again later.
 */
function handingOverAndDropping(reassignTo?: string): string[] {
  const to = reassignTo === undefined ? "CURRENT_USER" : inFormat(quoteIdentifier(reassignTo));
  return [
    `IF objects IS NULL THEN`,
    `  objects := ${countObjects()};`,
    `END IF;`,
    `IF objects OPERATOR(pg_catalog.>) ${MOST_OBJECTS} THEN`,
    `  RAISE EXCEPTION 'user % owns or has rights on more than ${MOST_OBJECTS} objects: hand them over with vault-postgres hand-over', user_name;`,
    `END IF;`,
    `PERFORM pg_catalog.set_config('lock_timeout', '${LOCK_TIMEOUT}', true);`,
    `IF objects OPERATOR(pg_catalog.>) 0 THEN`,
    `  ${innerBlock([USER_OID, `lent pg_catalog.name[] := '{}';`, `borrowed pg_catalog.name;`, `other pg_catalog.record;`], handOver(to))}`,
    `END IF;`,
    // It may have made some while its transactions were waited for.
    `IF ${LENDS_ITSELF} THEN`,
    `  IF ${OTHERS_JOINED} THEN`,
    `    RAISE EXCEPTION '% has made others members of itself meanwhile, so that their sessions may act for it', user_name;`,
    `  END IF;`,
    `END IF;`,
    execute("DROP ROLE %I", "user_name"),
  ];
}

/**
 * A right that somebody else has given can be taken back by whoever owns the object alone: the engine's login joins them for
 * the time being.
 */
function handOver(to: string): string[] {
  return [
    ...joining("user_name"),
    execute(`REASSIGN OWNED BY %I TO ${to}`, "user_name"),
    `FOR other IN`,
    `  SELECT DISTINCT owner.rolname FROM pg_catalog.pg_shdepend AS given`,
    `  JOIN pg_catalog.pg_shdepend AS owned ON owned.dbid OPERATOR(pg_catalog.=) given.dbid`,
    `    AND owned.classid OPERATOR(pg_catalog.=) given.classid AND owned.objid OPERATOR(pg_catalog.=) given.objid`,
    `    AND owned.deptype OPERATOR(pg_catalog.=) 'o'`,
    `  JOIN pg_catalog.pg_roles AS owner ON owner.oid OPERATOR(pg_catalog.=) owned.refobjid`,
    `  WHERE given.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid`,
    `    AND given.refobjid OPERATOR(pg_catalog.=) user_oid AND given.deptype OPERATOR(pg_catalog.=) 'a'`,
    `    AND NOT pg_catalog.pg_has_role(owner.oid, 'USAGE')`,
    `LOOP`,
    `  BEGIN`,
    ...indent(indent(joining("other.rolname"))),
    `    lent := pg_catalog.array_append(lent, other.rolname);`,
    `  EXCEPTION WHEN insufficient_privilege THEN`,
    `    NULL; -- told by DROP ROLE`,
    `  END;`,
    `END LOOP;`,
    execute("DROP OWNED BY %I", "user_name"),
    `FOREACH borrowed IN ARRAY lent LOOP`,
    `  ${execute("REVOKE %I FROM CURRENT_USER", "borrowed")}`,
    `END LOOP;`,
  ];
}
