import { at, failWith, MARK_BEGUN } from "./mariadb-block";

/** What sessions leave behind that acts after them, apart from objects: a prepared transaction and delayed rows. */
export const REMAINS_VARIABLES =
  "DECLARE owned, changing, prepared, listed LONGTEXT; DECLARE highest, newest, highestLeft BIGINT UNSIGNED; DECLARE fresh INT;";

/** A transaction gets its number when it first writes, and numbers grow. What has none shows one that is higher. */
const IS_NUMBER = "trx_id < 281474976710656";

/** Whatever completion_type says. */
const COMMIT = "COMMIT AND NO CHAIN NO RELEASE;";

/** Looks at prepared transactions, each about 0.2 s after the one before. */
const LOOKS = 7;

/**
 * What a session has prepared in two phases outlives it, and then nothing tells whose it is. So this notes, before any
 * session is ended, which have no session: all up to the highest number but those that have one. For there are only so many
 * sessions, but as many transactions without one as somebody likes to make. What the view holds may be older; then some are
 * not noted, and are waited for. It also notes the sessions that have changed something.
 *
 * If an earlier attempt has ended sessions, or may have, each may be the user's.
 */
export function noteEarlierTransactions(): string[] {
  const withSession = (what: string, and = "") =>
    `GROUP_CONCAT(IF(trx_mysql_thread_id > 0${and}, ${what}, NULL))`;
  return [
    "BEGIN",
    "DECLARE EXIT HANDLER FOR 1227 SET looks = 0;",
    `SELECT IF(suspect = 1, 0, IFNULL(MAX(IF(${IS_NUMBER}, trx_id, 0)), 0)), IFNULL(${withSession("trx_id")}, ''),`,
    `IFNULL(${withSession("trx_mysql_thread_id", " AND trx_rows_modified > 0")}, '')`,
    "INTO highest, owned, changing FROM information_schema.INNODB_TRX;",
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
  // Those that come after the first look that is new enough are of others.
  const mayBeOfUser =
    "trx_mysql_thread_id = 0 AND (trx_id > highest OR FIND_IN_SET(trx_id, owned)) AND trx_id <= IFNULL(newest, trx_id)";
  return [
    at("prepared transactions"),
    COMMIT,
    `SET listed = (SELECT MAX(trx_isolation_level) FROM information_schema.INNODB_TRX WHERE ${own}), attempt = 0;`,
    "IF listed = 'SERIALIZABLE' THEN SET TRANSACTION ISOLATION LEVEL READ COMMITTED;",
    "ELSE SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; END IF;",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT;",
    "SET obstacle = listed;",
    `WHILE IFNULL(prepared <> '', TRUE) AND attempt < ${LOOKS} DO`,
    "DO SLEEP(0.2 - MOD(UNIX_TIMESTAMP(SYSDATE(6)), 0.2));",
    "SET attempt = attempt + 1;",
    `SELECT IFNULL(MAX(${own} AND NOT trx_isolation_level <=> obstacle), 0),`,
    `MAX(IF(${mayBeOfUser}, trx_id, NULL)), IFNULL(LEFT(GROUP_CONCAT(IF(${mayBeOfUser}, trx_id, NULL)), 30), '')`,
    "INTO fresh, highestLeft, listed FROM information_schema.INNODB_TRX;",
    "IF fresh = 1 THEN SET prepared = listed, newest = highestLeft; END IF;",
    "END WHILE;",
    COMMIT,
    "IF IFNULL(prepared <> '', TRUE) THEN",
    MARK_BEGUN,
    "IF prepared IS NULL THEN",
    ...failWith("'others read INNODB_TRX all the time, so it shows nothing new; prepared transactions of '"),
    "END IF;",
    ...failWith("'prepared transactions (XA RECOVER), InnoDB ', prepared, ', maybe of '"),
    "END IF;",
  ];
}

/** Rows of INSERT DELAYED wait in a thread of the server, that shows no user. Nothing tells whose they are. */
export function requireNothingDelayed(): string[] {
  return [
    at("rows of INSERT DELAYED"),
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
