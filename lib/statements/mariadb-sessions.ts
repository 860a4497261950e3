import { at, fail, failWith, MARK_BEGUN } from "./mariadb-block";
import { NAME } from "./mysql-session";

/** About 2.5 s. */
const ATTEMPTS = 50;

/** Its variables: `known` holds sessions of the user, `hidden` sessions that may be. */
export const SESSION_VARIABLES = "DECLARE known, hidden LONGTEXT;";

/**
 * A session that runs a trigger or a routine of another shows that one's name in the list, and is not seen by KILL USER. Its
 * host is then that of the definer, which no client has: a pattern, none, or `localhost` with a port, which local clients have
 * where the server resolves names.
 */
const RUNS_FOR_DEFINER =
  // Not sessions that wait, nor those of events and of replication.
  "COMMAND NOT REGEXP '^(Sleep|Connect|Daemon|Delayed insert|Slave|Change user)' AND USER <> 'system user' AND " +
  "HOST REGEXP IF(@@skip_name_resolve, '[%_/]|^localhost:[0-9]+$|^(:[0-9]+)?$', '[%_/]|^(:[0-9]+)?$')";

/**
 * A thread of an event shows its definer and that one's host, without a port. Another's may be in an event of the user's, where
 * the user may have made one: nothing tells them apart.
 */
const EVENT_OF_ANOTHER =
  "events = 1 AND COMMAND = 'Connect' AND HOST NOT REGEXP ':[0-9]+$' " +
  "AND USER NOT IN ('system user', 'event_scheduler', 'unauthenticated user')";

/**
 * The name of a client's machine may look like a pattern for its underscores: such a host is that of a definer only where it is
 * one of an account.
 */
const IS_OF_ACCOUNT =
  "HOST REGEXP '[%/]' OR HOST NOT LIKE '%|_%' ESCAPE '|' OR EXISTS (SELECT 1 FROM mysql.user " +
  "WHERE User = shown.USER AND Host IN (shown.HOST, REGEXP_REPLACE(shown.HOST, ':[0-9]+$', '')))";

/** A session shows the name that it asks for, and gets its own back where the password for that is wrong. */
const CHANGES_USER = "COMMAND = 'Change user'";

/** A client changes its user within a round trip: after so many looks, it is told to end. */
const LOOKS_AT_CHANGE = 10;

/**
 * Ends the user's sessions that have changed nothing: one of them may hold a lock of the whole server, which would hold up
 * the lock of the accounts. Those that have changed something wait until it is marked that they are ended, for a transaction
 * that they have prepared in two phases outlives them.
 */
export function endIdleSessions(): string[] {
  return [
    "BEGIN",
    "DECLARE CONTINUE HANDLER FOR 1094, 1095 SET found = 0;",
    "IF looks = 1 THEN",
    `SET known = (SELECT GROUP_CONCAT(ID) FROM information_schema.PROCESSLIST WHERE USER = ${NAME});`,
    `FOR each_one IN (SELECT ID FROM information_schema.PROCESSLIST WHERE USER = ${NAME} AND NOT FIND_IN_SET(ID, changing)) DO`,
    "KILL HARD CONNECTION each_one.ID;",
    "END FOR;",
    "ELSE",
    `KILL HARD CONNECTION USER ${NAME};`,
    "END IF;",
    "END;",
  ];
}

/**
 * Without the one, KILL USER may count no session, and say nothing; by a role it cannot be seen. Without the other, a session
 * that shows another's name is not seen.
 */
export function requireRightToEnd(): string[] {
  return [
    "IF looks = 0 THEN",
    ...fail("CONCAT('sessions may go on unseen, for want of: GRANT PROCESS ON *.* TO ', me)"),
    "END IF;",
    "IF CURRENT_ROLE() IS NULL AND NOT EXISTS (",
    "SELECT 1 FROM information_schema.USER_PRIVILEGES",
    "WHERE PRIVILEGE_TYPE IN ('CONNECTION ADMIN', 'SUPER') AND GRANTEE = me) THEN",
    ...fail("CONCAT('sessions may go on, for want of: GRANT CONNECTION ADMIN ON *.* TO ', me)"),
    "END IF;",
  ];
}

/**
 * Ends the sessions. No new one comes, for the accounts are locked, so a session that may be the user's is in the first look.
 * One that has once shown the user's name is ended by its number, whatever it shows then.
 */
export function endSessions(): string[] {
  return [
    at("the end of sessions"),
    "SET found = 1, attempt = 0;",
    `WHILE (found > 0 OR hidden <> '') AND attempt < ${ATTEMPTS} DO`,
    `KILL HARD CONNECTION USER ${NAME};`,
    // It counts the sessions that it has told to end but that have not.
    "SET found = ROW_COUNT(), attempt = attempt + 1;",
    ...look(),
    "IF found > 0 OR hidden <> '' THEN DO SLEEP(0.05); END IF;",
    "END WHILE;",
    "IF found > 0 THEN",
    MARK_BEGUN,
    ...failWith("found, ' sessions have not ended yet: '"),
    "END IF;",
    "IF hidden <> '' THEN",
    MARK_BEGUN,
    ...failWith(
      "'session ', LEFT(hidden, 30), ' runs a trigger or routine of another definer; it may be of '",
    ),
    "END IF;",
  ];
}

/**
 * A session may have taken the mark back after it was set. None is left that could do so again.
 */
export function markAgain(): string[] {
  return [
    "IF readable = 1 THEN",
    `SET found = EXISTS (SELECT 1 FROM mysql.user WHERE User = ${NAME} AND password_expired <> 'Y');`,
    "END IF;",
    "IF readable = 0 OR found = 1 THEN",
    MARK_BEGUN,
    "END IF;",
  ];
}

/**
 * Who is let in as the user by GRANT PROXY shows its own name, and each user may hand that out. Once the user is dropped nobody
 * comes in that way, but a session goes on. The grant stays, and so does this until the session has ended. Without the right
 * to look, there is nothing to see.
 */
export function requireNoProxy(): string[] {
  return [
    "SET obstacle = NULL;",
    "BEGIN",
    "DECLARE EXIT HANDLER FOR 1142, 1143 BEGIN END;",
    "SET obstacle = (SELECT CONCAT(ID, ' of ', USER) FROM information_schema.PROCESSLIST AS shown",
    "WHERE USER NOT IN ('system user', 'event_scheduler', 'unauthenticated user', SUBSTRING_INDEX(CURRENT_USER(), '@', 1))",
    "AND EXISTS (SELECT 1 FROM mysql.proxies_priv AS proxy",
    `WHERE Proxied_user = ${NAME} AND (proxy.User = shown.USER OR proxy.User = ''`,
    "AND NOT EXISTS (SELECT 1 FROM mysql.user AS account WHERE account.User = shown.USER))) LIMIT 1);",
    "END;",
    "IF obstacle IS NOT NULL THEN",
    ...failWith("'session ', LEFT(obstacle, 60), ' may act by GRANT PROXY as '"),
    "END IF;",
  ];
}

/** One look at each session: it shows the user's name, that of a definer, or one that it asks for. */
function look(): string[] {
  return [
    `SELECT CONCAT_WS(',', known, GROUP_CONCAT(IF(USER = ${NAME}, ID, NULL))),`,
    `COUNT(IF(USER = ${NAME} OR FIND_IN_SET(ID, known), 1, NULL)),`,
    `IFNULL(GROUP_CONCAT(IF(USER <> ${NAME} AND NOT IFNULL(FIND_IN_SET(ID, known), 0)`,
    `AND (hidden IS NULL OR FIND_IN_SET(ID, hidden)) AND (${CHANGES_USER} OR ${EVENT_OF_ANOTHER} OR ${RUNS_FOR_DEFINER}), ID, NULL)), '')`,
    "INTO known, found, hidden FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID();",
    "IF hidden <> '' AND readable = 1 THEN",
    "SET hidden = (SELECT IFNULL(GROUP_CONCAT(ID), '') FROM information_schema.PROCESSLIST AS shown",
    // One that shows the user's name by now is ended in the next look.
    `WHERE FIND_IN_SET(ID, hidden) AND (USER = ${NAME} OR ${CHANGES_USER} OR ${IS_OF_ACCOUNT}));`,
    "END IF;",
    `IF found > 0 OR hidden <> '' AND attempt > ${LOOKS_AT_CHANGE} THEN`,
    "FOR each_one IN (SELECT ID FROM information_schema.PROCESSLIST WHERE FIND_IN_SET(ID, known)",
    `OR attempt > ${LOOKS_AT_CHANGE} AND FIND_IN_SET(ID, hidden) AND ${CHANGES_USER}) DO`,
    "BEGIN DECLARE CONTINUE HANDLER FOR 1094, 1095 BEGIN END; KILL HARD CONNECTION each_one.ID; END;",
    "END FOR;",
    "END IF;",
  ];
}
