import { jsonEncoded } from "../tokens";
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

/**
 * Names with which statements would say something else, or that the server keeps otherwise, as a pattern in the mode above. A
 * blank at the end is in the account that logs in, but not in the table of accounts; of characters with four bytes a
 * question mark is left, in a message as well.
 */
const UNSAFE = `'^ | $|[[:cntrl:]''"\`;?\\\\\\x{10000}-\\x{10FFFF}]'`;

/** What follows the name in each of its two readings. */
const ENDS = { single: ".", double: ":" };

/**
 * Reads the name into two variables of the session, for {@link REQUIRE_SAFE_NAME}. An identity provider may have had a say
 * in it.
 *
 * The first quote in a name stands inside one of the two literals, for they have different quotes. So whatever a name makes
 * of these statements, it shows in one of the variables. Meanwhile it can do nothing: SIGNAL takes no expressions, no
 * calls, and no statement after it. A message ends at a NUL character, and at 128 characters: then one of the two ends,
 * which differ, is not there.
 */
export function readName(): string[] {
  return [
    ["credentials_single", `'{{name}}${ENDS.single}'`],
    ["credentials_double", `"{{name}}${ENDS.double}"`],
  ].flatMap(([variable, literal]) => [
    `SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = ${literal};`,
    `GET DIAGNOSTICS CONDITION 1 @${variable} = MESSAGE_TEXT;`,
  ]);
}

const WITHOUT_END = ["@credentials_single", "@credentials_double"].map(
  (variable) => `LEFT(${variable}, CHAR_LENGTH(${variable}) - 1)`,
);

/** Stands in a block before the first use of the name. */
export const REQUIRE_SAFE_NAME = [
  `IF IFNULL(RIGHT(@credentials_single, 1) <> '${ENDS.single}' OR RIGHT(@credentials_double, 1) <> '${ENDS.double}'`,
  `OR CHAR_LENGTH(@credentials_single) NOT BETWEEN 2 AND 127 OR ${WITHOUT_END.join(" <> ")}`,
  ...WITHOUT_END.map((name) => `OR ${name} REGEXP ${UNSAFE}`),
  ", TRUE) THEN",
  "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =",
  "'this user name has a quote, backslash, semicolon, control character, emoji, or blank at an end';",
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
  return `[${jsonEncoded(statement)}]`;
}
