import { failWith, MARK_BEGUN } from "./mariadb-block";
import { NAME } from "./mysql-session";

/** What sessions leave behind that acts after them, apart from objects: a prepared transaction and delayed rows. */
export const REMAINS_VARIABLES = "DECLARE earlier, prepared, listed LONGTEXT; DECLARE fresh INT;";

/** Whatever completion_type says. */
const COMMIT = "COMMIT AND NO CHAIN NO RELEASE;";

/** Looks at prepared transactions, each about 0.2 s after the one before. */
const LOOKS = 7;

/**
 * What a session has prepared in two phases outlives it, and then nothing tells whose it is. So this notes, before any
 * session is ended, those that have no session. What the view holds may be older; then some are not noted, and are waited
 * for.
 *
 * If an earlier attempt has ended sessions, or may have, each may be the user's.
 */
export function noteEarlierTransactions(): string[] {
  return [
    "BEGIN",
    "DECLARE EXIT HANDLER FOR 1227 SET looks = 0;",
    "SELECT IF(suspect = 1, '', IFNULL(GROUP_CONCAT(trx_id), '')) INTO earlier",
    "FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = 0;",
    "END;",
  ];
}

/**
 * Fails if there is a prepared transaction that may be the user's. One that another client has prepared meanwhile, and goes
 * on with by another connection, ends by itself: so each has some time.
 *
 * The view is a copy, made anew once nobody has read it for 0.1 s. A transaction of our own shows whether the copy is newer
 * than the end of the sessions; one of another level shows in a copy that an earlier revocation has seen. So that revocations
 * at the same time do not keep the copy from being made, all look at the same moments.
 */
export function requireNoTransaction(): string[] {
  const own = "trx_mysql_thread_id = CONNECTION_ID()";
  return [
    COMMIT,
    `SET listed = (SELECT MAX(trx_isolation_level) FROM information_schema.INNODB_TRX WHERE ${own}), attempt = 0;`,
    "IF listed = 'SERIALIZABLE' THEN SET TRANSACTION ISOLATION LEVEL READ COMMITTED;",
    "ELSE SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; END IF;",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT;",
    "SET obstacle = listed;",
    `WHILE IFNULL(prepared <> '', TRUE) AND attempt < ${LOOKS} DO`,
    "DO SLEEP(0.2 - MOD(UNIX_TIMESTAMP(SYSDATE(6)), 0.2));",
    "SET attempt = attempt + 1;",
    `SELECT IFNULL(MAX(${own} AND NOT trx_isolation_level <=> obstacle), 0), IFNULL(GROUP_CONCAT(IF(`,
    "trx_mysql_thread_id = 0 AND NOT FIND_IN_SET(trx_id, earlier)",
    "AND (prepared IS NULL OR FIND_IN_SET(trx_id, prepared)), trx_id, NULL)), '')",
    "INTO fresh, listed FROM information_schema.INNODB_TRX;",
    "IF fresh = 1 THEN SET prepared = listed; END IF;",
    "END WHILE;",
    COMMIT,
    "IF IFNULL(prepared <> '', TRUE) THEN",
    MARK_BEGUN,
    "IF prepared IS NULL THEN",
    ...failWith("'others read INNODB_TRX all the time, so it shows nothing new; prepared transactions of '"),
    "END IF;",
    ...failWith("'prepared transactions (XA RECOVER), InnoDB ', LEFT(prepared, 30), ', maybe of '"),
    "END IF;",
  ];
}

/** Rows of INSERT DELAYED wait in a thread of the server, that shows no user. Nothing tells whose they are. */
export function requireNothingDelayed(): string[] {
  return [
    "SET attempt = 0, found = 1;",
    "WHILE found > 0 AND attempt < 20 DO",
    "SET attempt = attempt + 1, found = (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS",
    "WHERE VARIABLE_NAME = 'NOT_FLUSHED_DELAYED_ROWS');",
    "IF found > 0 THEN DO SLEEP(0.05); END IF;",
    "END WHILE;",
    "IF found > 0 THEN",
    ...failWith("found, ' rows of INSERT DELAYED (Not_flushed_delayed_rows) are not written yet, maybe of '"),
    "END IF;",
  ];
}

/**
 * What the user made and is the definer of fails for everybody once the user is dropped. The engine's login sees such
 * objects only if it has the right to make them, which it needs to hand it out.
 */
export function requireNoDefiner(): string[] {
  const KINDS = [
    ["trigger", "TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER_NAME"],
    ["view", "VIEWS", "TABLE_SCHEMA", "TABLE_NAME"],
    ["routine", "ROUTINES", "ROUTINE_SCHEMA", "ROUTINE_NAME"],
    ["event", "EVENTS", "EVENT_SCHEMA", "EVENT_NAME"],
  ] as const;
  const privileges = ["USER_PRIVILEGES", "SCHEMA_PRIVILEGES", "TABLE_PRIVILEGES"].map(
    (view) =>
      `EXISTS (SELECT 1 FROM information_schema.${view} WHERE GRANTEE = me ` +
      "AND PRIVILEGE_TYPE IN ('TRIGGER', 'CREATE VIEW', 'CREATE ROUTINE', 'EVENT'))",
  );
  const objects = KINDS.map(
    ([kind, view, schema, name]) =>
      `SELECT CONCAT('${kind} ', ${schema}, '.', ${name}) AS object FROM information_schema.${view} ` +
      `WHERE LEFT(DEFINER, CHAR_LENGTH(${NAME}) + 1) = CONCAT(${NAME}, '@')`,
  );
  return [
    `IF ${privileges.join(" OR ")} THEN`,
    `SET obstacle = (SELECT object FROM (${objects.join(" UNION ALL ")}) AS defined LIMIT 1);`,
    "IF obstacle IS NOT NULL THEN",
    ...failWith("'needs another definer first: ', obstacle, ', of '"),
    "END IF;",
    "END IF;",
  ];
}
