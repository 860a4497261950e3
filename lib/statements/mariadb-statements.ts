import { at, fail, failWith, guarded, MARK_BEGUN, TIME_IS_OVER } from "./mariadb-block";
import { DEFINER_VARIABLES, noteDefining, requireNoDefiner } from "./mariadb-definers";
import {
  noteEarlierTransactions,
  REMAINS_VARIABLES,
  requireNothingDelayed,
  requireNoTransaction,
} from "./mariadb-remains";
import {
  endIdleSessions,
  endSessions,
  markAgain,
  requireNoProxy,
  requireRightToEnd,
  SESSION_VARIABLES,
} from "./mariadb-sessions";
import { NAME } from "./mysql-session";

/** As with BLOCK_SECONDS; the engine runs nothing else of the connection meanwhile. */
const CREATION_SECONDS = 3;

/**
 * Makes the user in one block, which drops it again if any of it fails. Once its time is over, nothing interrupts the block any
 * more, so that it drops nothing then: what is left is locked, and named.
 *
 * @param createUser statement that can be continued with the account's lock
 */
export function mariadbCreation(user: string, createUser: string, grants: readonly string[]): string[] {
  return guarded(
    [
      "BEGIN",
      "DECLARE made INT DEFAULT 0;",
      "DECLARE obstacle TEXT;",
      `DECLARE EXIT HANDLER FOR ${TIME_IS_OVER} BEGIN IF made = 0 THEN RESIGNAL; END IF;`,
      ...failWith("'not made in time, since the server is locked, say; DROP what is left of it, a locked '"),
      "END;",
      `DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN IF made = 1 THEN DROP USER IF EXISTS ${user}; END IF; RESIGNAL; END;`,
      `${createUser} ACCOUNT LOCK;`,
      "SET made = 1;",
      ...grants.map((grant) => `${grant};`),
      `ALTER USER ${user} ACCOUNT UNLOCK;`,
      "END;",
    ],
    CREATION_SECONDS,
  );
}

/**
 * Ends whatever account has the user's name, from whatever host it may log in: an earlier version of the role may have
 * named another. First no account can log in any more, then their sessions end, then what they left is looked for, then they
 * are dropped. Where that stops, the account stays, locked, so that the next attempt finds it.
 *
 * What a session leaves is looked for after it has ended, never before: until then it can change.
 *
 * @param userAt account that the role makes at present
 * @param mark beginning of the names that are made on this server; one of them that is not there is gone already
 */
export function mariadbRevocation(userAt: string, mark: string | undefined): string[] {
  return guarded([
    "BEGIN",
    "DECLARE accounts, obstacle, at_what TEXT;",
    "DECLARE readable, looks INT DEFAULT 1;",
    "DECLARE suspect, found, attempt INT DEFAULT 0;",
    SESSION_VARIABLES,
    REMAINS_VARIABLES,
    DEFINER_VARIABLES,
    `DECLARE me TEXT DEFAULT CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''');`,
    ...whenTimeIsOver(),
    ...findAccounts(userAt),
    ...noteDefining(),
    ...noteEarlierTransactions(),
    ...endIdleSessions(),
    ...lockAccounts(),
    ...requireRightToEnd(),
    ...endSessions(),
    "IF accounts IS NULL THEN",
    ...requireNoProxy(),
    ...requireGone(mark),
    "ELSE",
    ...markAgain(),
    ...requireNoDefiner(),
    // An event needs no login, and may have begun, and been dropped, before this look.
    "IF events = 1 THEN SET hidden = NULL; END IF;",
    ...endSessions(),
    "END IF;",
    ...requireNoTransaction(),
    ...requireNothingDelayed(),
    "IF accounts IS NOT NULL THEN",
    at("DROP USER"),
    "EXECUTE IMMEDIATE CONCAT('DROP USER ', accounts);",
    "SET accounts = NULL;",
    ...endSessions(),
    ...requireNoProxy(),
    "END IF;",
    "END;",
  ]);
}

/**
 * Without the right to look, the account that the role makes at present is the only one that is known. Where it does not
 * show whether an earlier attempt has begun, one may have.
 */
function findAccounts(userAt: string): string[] {
  return [
    at("a look at accounts"),
    "BEGIN",
    `DECLARE EXIT HANDLER FOR 1142, 1143 SET readable = 0, suspect = 1, accounts = ${literal(userAt)};`,
    "SELECT GROUP_CONCAT('''', User, '''@''', REPLACE(Host, '''', ''''''), '''' SEPARATOR ', '),",
    "IFNULL(MAX(password_expired = 'Y'), 1) INTO accounts, suspect",
    `FROM mysql.user WHERE User = ${NAME};`,
    "END;",
  ];
}

/** Nothing interrupts the block any more. Where sessions were ended, they may have taken the mark back. */
function whenTimeIsOver(): string[] {
  return [
    `DECLARE EXIT HANDLER FOR ${TIME_IS_OVER} BEGIN`,
    "IF at_what LIKE '%sessions' THEN",
    MARK_BEGUN,
    "END IF;",
    ...failWith("'max_statement_time was over at ', at_what, ': '"),
    "END;",
  ];
}

/** An expired password marks that this has begun; see MARK_BEGUN. */
function lockAccounts(): string[] {
  return [
    at("the lock of the account"),
    "IF accounts IS NOT NULL THEN BEGIN",
    "DECLARE EXIT HANDLER FOR 1396 IF readable = 1 THEN RESIGNAL; ELSE SET accounts = NULL; END IF;",
    "EXECUTE IMMEDIATE CONCAT('ALTER USER ', accounts, ' PASSWORD EXPIRE ACCOUNT LOCK');",
    "END; END IF;",
  ];
}

/** There is no account. */
function requireGone(mark: string | undefined): string[] {
  const elsewhere = failWith("'no account, and its name is not of this server; is it on another? '");
  return [
    "IF readable = 0 THEN",
    ...fail("CONCAT('missing: GRANT SELECT (User, Host, password_expired) ON mysql.user TO ', me)"),
    "END IF;",
    ...(mark === undefined
      ? elsewhere
      : [`IF LEFT(${NAME}, ${mark.length}) <> '${mark}' THEN`, ...elsewhere, "END IF;"]),
  ];
}

/** The name and the host that an account consists of hold no backslashes. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
