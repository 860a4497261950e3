/** The user's name, which the engine fills in as plain text. */
export const NAME = "'{{name}}'";

/** The mode in which all of this is read; see {@link pinSession}. */
const MODE = "NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES";

/**
 * Sets the sql_mode that the statements after it are read in, whatever the server's is: blocks are another language with
 * `ORACLE`, `"` begins a name with `ANSI_QUOTES`, and a backslash is a character like others here, so that nothing but a
 * quote ends a literal. The session's own mode is kept for {@link RESTORE}, also where an earlier list failed between.
 */
export function pinSession(): string {
  return [
    `SET @credentials_sql_mode = IF(@@SESSION.sql_mode = '${MODE}' AND @credentials_sql_mode IS NOT NULL,`,
    "@credentials_sql_mode, @@SESSION.sql_mode),",
    "@credentials_single = NULL, @credentials_double = NULL,",
    // Where it is 0, a message cannot be read back.
    "SESSION max_error_count = GREATEST(@@SESSION.max_error_count, 8),",
    `SESSION sql_mode = '${MODE}';`,
  ].join(" ");
}

/**
 * Gives the session its own sql_mode back, for statements of other roles. A list that fails before leaves that to the next;
 * a block cannot do it, for at its end a block takes back what it has set.
 */
export const RESTORE = "SET SESSION sql_mode = @credentials_sql_mode;";

/** Characters of a name with which statements would say something else. Read as a pattern in the mode above. */
const UNSAFE = `'[[:cntrl:]''"\`;\\\\]'`;

/**
 * Reads the name into two variables of the session, for {@link REQUIRE_SAFE_NAME}. An identity provider may have had a say
 * in it.
 *
 * The first quote in a name stands inside one of the two literals, for they have different quotes. So whatever a name makes
 * of these statements, it shows in one of the variables. Meanwhile it can do nothing: SIGNAL takes no expressions, no
 * calls, and no statement after it. A text of 128 characters is one that was cut.
 */
export function readName(): string[] {
  return [
    ["credentials_single", "'{{name}}'"],
    ["credentials_double", '"{{name}}"'],
  ].flatMap(([variable, literal]) => [
    `SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = ${literal};`,
    `GET DIAGNOSTICS CONDITION 1 @${variable} = MESSAGE_TEXT;`,
  ]);
}

/** Stands in a block before the first use of the name. */
export const REQUIRE_SAFE_NAME = [
  `IF IFNULL(@credentials_single = '' OR @credentials_single <> @credentials_double`,
  `OR CHAR_LENGTH(@credentials_single) > 127 OR @credentials_single REGEXP ${UNSAFE}`,
  `OR @credentials_double REGEXP ${UNSAFE}, TRUE) THEN`,
  "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =",
  "'this user name has a quote, a backslash, a semicolon or a control character';",
  "END IF;",
].join(" ");

/**
 * As {@link readName} and {@link REQUIRE_SAFE_NAME}, where neither blocks nor SIGNAL can be had: fails for such a name with
 * `Subquery returns more than 1 row`. A name can call a function meanwhile, but change no right.
 */
export function requireSafeName(): string[] {
  return ["'{{name}}'", '"{{name}}"'].map((literal) =>
    unsplit(
      "SET @credentials_single = (SELECT 1 FROM (SELECT 1 AS n UNION ALL SELECT 2) AS unsafe_user_name " +
        `WHERE ${literal} REGEXP ${UNSAFE})`,
    ),
  );
}

/** The engine splits SQL at every semicolon, but takes a JSON list for a list that is split already. */
export function unsplit(statement: string): string {
  return JSON.stringify([statement]);
}
