import { Duration } from "../duration";
import { aboutUser, execute, indent, inFormat, USER_OID } from "./plpgsql";
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

/** What belongs to a user, or was granted to it: more is not for the engine to clean up while others wait for it. */
const MOST_OBJECTS = 1000;
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
  return [
    ...refusingLogins(options),
    aboutUser(
      DECLARATIONS,
      ifStillThere(...endingSessions(), ...refusePrepared(), ...handOverAndDrop(reassignTo)),
    ),
  ];
}

/**
 * Refuses new logins, commits that, hands over what the login owned and drops it, but leaves its sessions: a transaction
 * that runs goes on and commits, and idle sessions are bounded by the timeouts set at creation. The sessions of a login
 * without these timeouts, which was issued while the role had another kind of revocation, are ended.
 *
 * @param reassignTo role that gets what the login owned; the engine's own login if absent
 */
export function drainingRevocation(reassignTo?: string, options: RevocationOptions = {}): string[] {
  return [
    ...refusingLogins(options),
    aboutUser(
      DECLARATIONS,
      ifStillThere(
        `IF NOT EXISTS (`,
        `  SELECT FROM pg_catalog.pg_roles, pg_catalog.unnest(rolconfig) AS setting`,
        `  WHERE oid OPERATOR(pg_catalog.=) user_oid AND pg_catalog.starts_with(setting, 'idle_session_timeout=')`,
        `) THEN`,
        ...indent(endingSessions()),
        `END IF;`,
        ...refusePrepared(),
        ...handOverAndDrop(reassignTo),
      ),
    ),
  ];
}

/**
 * Elements of their own, because an engine runs revocation in one transaction: in it, a NOLOGIN is invisible to others until
 * it ends, so that clients that reconnect in a loop survived, and it would be undone where the rest fails.
 */
function refusingLogins({ namePrefix, timeout = Duration.seconds(10) }: RevocationOptions): string[] {
  const issuedElsewhere =
    namePrefix === undefined
      ? "ELSE"
      : `ELSIF NOT pg_catalog.starts_with(user_name, ${quoteLiteral(namePrefix)}) THEN`;
  return [
    aboutUser(
      [],
      [
        `IF ${USER_OID} IS NOT NULL THEN`,
        `  ${execute("ALTER ROLE %I NOLOGIN", "user_name")}`,
        `  ${execute("GRANT %I TO CURRENT_USER", "user_name")}`,
        issuedElsewhere,
        `  RAISE EXCEPTION 'there is no user % on this server, so that none was ended: it was issued on another one, or dropped by hand', user_name;`,
        `END IF;`,
      ],
    ),
    `COMMIT AND CHAIN;`,
    `SET LOCAL statement_timeout = ${timeout.toSeconds() * 1000};`,
  ];
}

const DECLARATIONS = [
  `user_oid CONSTANT pg_catalog.oid := ${USER_OID};`,
  `engine_role CONSTANT pg_catalog.text := pg_catalog.current_setting('role');`,
  // The user, and who is a member of it.
  `acting pg_catalog.oid[];`,
  `lent pg_catalog.name[] := '{}';`,
  `other record;`,
  `starting pg_catalog.int4[];`,
  `backend pg_catalog.int4;`,
  `alive int;`,
  `fewest int;`,
  `give_up pg_catalog.timestamptz;`,
  `gids pg_catalog.text[];`,
];

/** A revocation that failed is tried again, perhaps after its login was dropped. */
function ifStillThere(...lines: string[]): string[] {
  return [`IF user_oid IS NOT NULL THEN`, ...indent(lines), `END IF;`];
}

function endingSessions(): string[] {
  return [
    ...findMembers(),
    `LOOP`,
    // Before the look at the sessions: a backend that comes up meanwhile is in one of the two lists.
    `  starting := ARRAY(SELECT DISTINCT pid FROM pg_catalog.pg_lock_status() WHERE pid IS NOT NULL);`,
    `  PERFORM pg_catalog.pg_stat_clear_snapshot();`,
    `  PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_get_activity(NULL)`,
    `    WHERE usesysid OPERATOR(pg_catalog.=) user_oid;`,
    `  GET DIAGNOSTICS alive = ROW_COUNT;`,
    ...indent(endMembers()),
    ...indent(endStarting()),
    `  EXIT WHEN alive OPERATOR(pg_catalog.=) 0;`,
    `  IF fewest IS NULL OR alive OPERATOR(pg_catalog.<) fewest THEN`,
    `    fewest := alive;`,
    `    give_up := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) ${quoteLiteral(WITHOUT_PROGRESS)}::interval;`,
    `  ELSIF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) give_up THEN`,
    `    RAISE EXCEPTION 'sessions of % could not be ended: % left', user_name, alive;`,
    `  END IF;`,
    `  PERFORM pg_catalog.pg_sleep(0.01);`,
    `END LOOP;`,
    `FOR other IN SELECT rolname FROM pg_catalog.unnest(lent) AS rolname LOOP`,
    `  ${execute("REVOKE %I FROM CURRENT_USER", "other.rolname")}`,
    `END LOOP;`,
  ];
}

/**
 * Before PostgreSQL 16 a login may make others members of itself; then their sessions may act as its base role. The engine's
 * own login has become a member to end the user, and a superuser gains nothing by it. To end a member's sessions, the
 * engine's login becomes a member of it for the time being.
 */
function findMembers(): string[] {
  return [
    `acting := ARRAY(`,
    `  WITH RECURSIVE acts (id) AS (`,
    `    SELECT user_oid`,
    `    UNION`,
    `    SELECT membership.member FROM acts`,
    `    JOIN pg_catalog.pg_auth_members AS membership ON membership.roleid OPERATOR(pg_catalog.=) acts.id`,
    `    JOIN pg_catalog.pg_roles AS joined ON joined.oid OPERATOR(pg_catalog.=) membership.member`,
    `    WHERE joined.rolname OPERATOR(pg_catalog.<>) CURRENT_USER AND NOT joined.rolsuper`,
    `  )`,
    `  SELECT id FROM acts`,
    `);`,
    `FOR other IN`,
    `  SELECT rolname FROM pg_catalog.pg_roles`,
    `  WHERE oid OPERATOR(pg_catalog.=) ANY (acting) AND NOT pg_catalog.pg_has_role(oid, 'USAGE')`,
    `LOOP`,
    `  BEGIN`,
    `    ${execute("GRANT %I TO CURRENT_USER", "other.rolname")}`,
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
    `  SELECT pid, usesysid FROM pg_catalog.pg_stat_get_activity(NULL)`,
    `  WHERE usesysid OPERATOR(pg_catalog.=) ANY (acting) AND usesysid OPERATOR(pg_catalog.<>) user_oid`,
    `LOOP`,
    `  BEGIN`,
    `    PERFORM pg_catalog.pg_terminate_backend(other.pid);`,
    `    alive := alive OPERATOR(pg_catalog.+) 1;`,
    `  EXCEPTION WHEN insufficient_privilege THEN`,
    `    RAISE EXCEPTION 'process % acts for %, as its login is a member of it, and may not be ended by %', other.pid, user_name, CURRENT_USER;`,
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
    `starting := ARRAY(`,
    `  SELECT candidate.pid FROM pg_catalog.unnest(starting) AS candidate (pid)`,
    `  WHERE NOT EXISTS (`,
    `    SELECT FROM pg_catalog.pg_stat_get_activity(NULL) AS activity`,
    `    WHERE activity.pid OPERATOR(pg_catalog.=) candidate.pid AND activity.usesysid IS NOT NULL`,
    `  )`,
    `);`,
    `IF pg_catalog.cardinality(starting) OPERATOR(pg_catalog.>) 0 THEN`,
    `  FOR other IN`,
    `    SELECT rolname FROM pg_catalog.pg_roles`,
    `    WHERE oid OPERATOR(pg_catalog.=) ANY (acting) AND pg_catalog.pg_has_role(oid, 'USAGE')`,
    `  LOOP`,
    `    PERFORM pg_catalog.set_config('role', other.rolname::pg_catalog.text, true);`,
    `    FOREACH backend IN ARRAY starting LOOP`,
    `      BEGIN`,
    `        IF pg_catalog.pg_terminate_backend(backend) THEN`,
    `          alive := alive OPERATOR(pg_catalog.+) 1;`,
    `        END IF;`,
    `      EXCEPTION WHEN insufficient_privilege THEN`,
    `        NULL; -- somebody else's`,
    `      END;`,
    `    END LOOP;`,
    `    PERFORM pg_catalog.set_config('role', engine_role, true);`,
    `  END LOOP;`,
    `END IF;`,
  ];
}

/**
 * A transaction that was prepared for two-phase commit is no session: it keeps its locks, and others may commit it. Nobody
 * can tell whose it is if it belongs to the base role, so that those that were there when the sessions had ended have to go.
 */
function refusePrepared(): string[] {
  return [
    `FOR attempt IN 0..20 LOOP`,
    `  gids := ARRAY(`,
    `    SELECT gid FROM pg_catalog.pg_prepared_xact() AS waiting`,
    `    WHERE (gids IS NULL OR gid OPERATOR(pg_catalog.=) ANY (gids)) AND (`,
    `      ownerid OPERATOR(pg_catalog.=) user_oid OR EXISTS (`,
    `        SELECT FROM pg_catalog.pg_auth_members AS membership`,
    `        WHERE membership.member OPERATOR(pg_catalog.=) user_oid`,
    `          AND membership.roleid OPERATOR(pg_catalog.=) waiting.ownerid`,
    `      )`,
    `    )`,
    `  );`,
    `  EXIT WHEN pg_catalog.cardinality(gids) OPERATOR(pg_catalog.=) 0;`,
    `  IF attempt OPERATOR(pg_catalog.=) 20 THEN`,
    `    RAISE EXCEPTION 'prepared transactions of % or of its base role are left, to be committed or rolled back: %', user_name, pg_catalog.array_to_string(gids, ', ');`,
    `  END IF;`,
    `  PERFORM pg_catalog.pg_sleep(0.05);`,
    `END LOOP;`,
  ];
}

/**
 * In this order: DROP OWNED first would delete the login's tables. The bounds keep one user's objects, or a table that is
 * locked, from holding up the engine, which runs one statement list per connection at a time; it tries again later.
 */
function handOverAndDrop(reassignTo?: string): string[] {
  const to = reassignTo === undefined ? "CURRENT_USER" : inFormat(quoteIdentifier(reassignTo));
  return [
    `PERFORM FROM pg_catalog.pg_shdepend`,
    `  WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid`,
    `    AND refobjid OPERATOR(pg_catalog.=) user_oid`,
    `  OFFSET ${MOST_OBJECTS} LIMIT 1;`,
    `IF FOUND THEN`,
    `  RAISE EXCEPTION 'user % owns or has rights on more than ${MOST_OBJECTS} objects: hand them over with vault-postgres hand-over', user_name;`,
    `END IF;`,
    `PERFORM pg_catalog.set_config('lock_timeout', '1s', true);`,
    execute(`REASSIGN OWNED BY %I TO ${to}`, "user_name"),
    execute("DROP OWNED BY %I", "user_name"),
    execute("DROP ROLE %I", "user_name"),
  ];
}
