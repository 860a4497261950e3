import { NAME, pinSession, readName, REQUIRE_SAFE_NAME, RESTORE, unsplit } from "./mysql-session";

/**
 * How long a block may take, such as while somebody holds FLUSH TABLES WITH READ LOCK. In these statements the server does
 * not heed lock_wait_timeout, nor this but for the whole block. It interrupts once.
 */
const MOST_SECONDS = 7;
/** About 2.5 s. */
const ATTEMPTS = 50;

/** Makes the user in one block, which drops it again if any of it fails. */
export function mariadbCreation(user: string, createUser: string, grants: readonly string[]): string[] {
  return guarded([
    "BEGIN",
    "DECLARE made INT DEFAULT 0;",
    `DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN IF made = 1 THEN DROP USER IF EXISTS ${user}; END IF; RESIGNAL; END;`,
    `${createUser};`,
    "SET made = 1;",
    ...grants.map((grant) => `${grant};`),
    "END;",
  ]);
}

/**
 * Ends whatever account has the user's name, from whatever host it may log in: an earlier version of the role may have
 * named another. First no account can log in any more, then their sessions end, then they are dropped. Where that stops,
 * the account stays, locked, so that the next attempt finds it.
 *
 * @param userAt account that the role makes at present
 * @param mark beginning of the names that are made on this server; one of them that is not there is gone already
 */
export function mariadbRevocation(userAt: string, mark: string | undefined): string[] {
  return guarded([
    "BEGIN",
    "DECLARE accounts, transactions, obstacle TEXT;",
    "DECLARE readable, looks INT DEFAULT 1;",
    "DECLARE suspect, found, attempt INT DEFAULT 0;",
    `DECLARE me TEXT DEFAULT CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''');`,
    ...findAccounts(userAt),
    ...rememberTransactions(),
    // A lock of the user's own would hold up what comes next.
    `BEGIN DECLARE EXIT HANDLER FOR 1095 SET found = 0; KILL HARD CONNECTION USER ${NAME}; END;`,
    ...lockAccounts(),
    ...requireRightToEnd(),
    ...rememberTransactions(),
    ...endSessions(),
    "IF accounts IS NULL THEN",
    ...requireGone(mark),
    "ELSE",
    ...requireNoTransaction(),
    ...requireNoDefiner(),
    "EXECUTE IMMEDIATE CONCAT('DROP USER ', accounts);",
    ...endSessions(),
    "END IF;",
    "END;",
  ]);
}

/** A block that does nothing with an unsafe name, and does not wait for long. */
function guarded(statements: readonly string[]): string[] {
  const block = [
    `SET STATEMENT max_statement_time = ${MOST_SECONDS} FOR`,
    "BEGIN NOT ATOMIC",
    REQUIRE_SAFE_NAME,
    ...statements,
    "END",
  ].join(" ");
  return [pinSession(), ...readName(), unsplit(block), RESTORE];
}

/** Without the right to look, the account that the role makes at present is the only one that is known. */
function findAccounts(userAt: string): string[] {
  return [
    "BEGIN",
    `DECLARE EXIT HANDLER FOR 1142, 1143 SET readable = 0, accounts = ${literal(userAt)};`,
    "SELECT GROUP_CONCAT('''', User, '''@''', REPLACE(Host, '''', ''''''), '''' SEPARATOR ', '),",
    "IFNULL(MAX(password_expired = 'Y'), 0) INTO accounts, suspect",
    `FROM mysql.user WHERE User = ${NAME};`,
    "END;",
  ];
}

function lockAccounts(): string[] {
  return [
    "IF accounts IS NOT NULL THEN BEGIN",
    "DECLARE EXIT HANDLER FOR 1396 IF readable = 1 THEN RESIGNAL; ELSE SET accounts = NULL; END IF;",
    "EXECUTE IMMEDIATE CONCAT('ALTER USER ', accounts, ' ACCOUNT LOCK');",
    "END; END IF;",
  ];
}

/** What a session has prepared in two phases outlives it, and then nothing tells whose it is. */
function rememberTransactions(): string[] {
  return [
    "BEGIN",
    "DECLARE EXIT HANDLER FOR 1227 SET looks = 0;",
    // The view is a copy, made anew once nobody has read it for 0.1 s.
    `IF EXISTS (SELECT 1 FROM information_schema.PROCESSLIST WHERE USER = ${NAME}) THEN`,
    "DO SLEEP(0.15);",
    "END IF;",
    "SELECT CONCAT_WS(',', transactions, GROUP_CONCAT(t.trx_id)) INTO transactions",
    "FROM information_schema.INNODB_TRX t",
    "JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id",
    `WHERE p.USER = ${NAME};`,
    "END;",
  ];
}

/** Without it, KILL USER may count no session, and say nothing. By a role it cannot be seen, but then sessions may be. */
function requireRightToEnd(): string[] {
  return [
    "IF (looks = 0 OR CURRENT_ROLE() IS NULL) AND NOT EXISTS (",
    "SELECT 1 FROM information_schema.USER_PRIVILEGES",
    "WHERE PRIVILEGE_TYPE IN ('CONNECTION ADMIN', 'SUPER') AND GRANTEE = me) THEN",
    ...fail("CONCAT('sessions may go on, for want of: GRANT CONNECTION ADMIN ON *.* TO ', me)"),
    "END IF;",
  ];
}

/** KILL USER counts the sessions that it has told to end but that have not. */
function endSessions(): string[] {
  return [
    "SET found = 1, attempt = 0;",
    `WHILE found > 0 AND attempt < ${ATTEMPTS} DO`,
    `KILL HARD CONNECTION USER ${NAME};`,
    "SET found = ROW_COUNT(), attempt = attempt + 1;",
    "IF found > 0 THEN DO SLEEP(0.05); END IF;",
    "END WHILE;",
    "IF found = 0 AND looks = 1 THEN",
    `SET found = (SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = ${NAME});`,
    "END IF;",
    "IF found > 0 THEN",
    ...fail(`CONCAT(found, ' sessions have not ended yet: ', ${NAME})`),
    "END IF;",
  ];
}

/** There is no account. */
function requireGone(mark: string | undefined): string[] {
  const elsewhere = fail(
    `CONCAT('no account, and its name is not of this server; is it on another? ', ${NAME})`,
  );
  return [
    "IF readable = 0 THEN",
    ...fail("CONCAT('missing: GRANT SELECT (User, Host, password_expired) ON mysql.user TO ', me)"),
    "END IF;",
    ...(mark === undefined
      ? elsewhere
      : [`IF LEFT(${NAME}, ${mark.length}) <> '${mark}' THEN`, ...elsewhere, "END IF;"]),
  ];
}

/** The mark of an expired password is for the next attempt: by then nothing else tells whose the transaction is. */
function requireNoTransaction(): string[] {
  return [
    "IF looks = 1 AND (transactions <> '' OR suspect = 1) THEN",
    // The view is a copy of up to 0.1 s ago.
    "DO SLEEP(0.15);",
    "SELECT GROUP_CONCAT(trx_id) INTO obstacle FROM information_schema.INNODB_TRX",
    "WHERE trx_mysql_thread_id = 0 AND (suspect = 1 OR FIND_IN_SET(trx_id, transactions));",
    "IF obstacle IS NOT NULL THEN",
    "EXECUTE IMMEDIATE CONCAT('ALTER USER ', accounts, ' PASSWORD EXPIRE');",
    ...fail(`CONCAT('prepared transactions (XA RECOVER), InnoDB ', obstacle, ', of ', ${NAME})`),
    "END IF;",
    "END IF;",
  ];
}

/**
 * What the user made and is the definer of fails for everybody once the user is dropped. The engine's login sees such
 * objects only if it has the right to make them, which it needs to hand it out.
 */
function requireNoDefiner(): string[] {
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
    ...fail(`CONCAT('needs another definer first: ', obstacle, ', of ', ${NAME})`),
    "END IF;",
    "END IF;",
  ];
}

/** A message has 128 characters. */
function fail(message: string): string[] {
  return [`SET obstacle = LEFT(${message}, 128);`, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = obstacle;"];
}

/** The name and the host that an account consists of hold no backslashes. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
