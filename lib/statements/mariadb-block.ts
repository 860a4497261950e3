import { NAME, pinSession, readName, REQUIRE_SAFE_NAME, RESTORE, unsplit } from "./mysql-session";

/**
 * How long a block may take, such as while somebody holds FLUSH TABLES WITH READ LOCK. In these statements the server does
 * not heed lock_wait_timeout, nor this but for the whole block. It interrupts once.
 */
const BLOCK_SECONDS = 7;

/** A block that does nothing with an unsafe name, and does not wait for long. */
export function guarded(statements: readonly string[], seconds = BLOCK_SECONDS): string[] {
  const block = [
    // A list that is cut off would leave out what has to be found.
    `SET STATEMENT max_statement_time = ${seconds}, group_concat_max_len = 1048576 FOR`,
    "BEGIN NOT ATOMIC",
    REQUIRE_SAFE_NAME,
    ...statements,
    "END",
  ].join(" ");
  return [pinSession(), ...readName(), unsplit(block), RESTORE];
}

/** A message has 128 characters. The user's name is at its end. */
export function failWith(message: string): string[] {
  return fail(`CONCAT(${message}, ${NAME})`);
}

/** As {@link failWith}, for a message without the user's name. */
export function fail(message: string): string[] {
  return [`SET obstacle = LEFT(${message}, 128);`, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = obstacle;"];
}

/** A statement was interrupted, since the time of its block was over. */
export const TIME_IS_OVER = 1969;

/** Notes what comes next in `at_what`, for the message where the block's time is over then. */
export function at(what: string): string {
  return `SET at_what = '${what}';`;
}

/**
 * Remembers for the next attempt that one has begun: then nothing else tells what the sessions left that have ended. A
 * session can take the mark back by SET PASSWORD, so it is set again where sessions have ended.
 */
export const MARK_BEGUN =
  "IF accounts IS NOT NULL THEN EXECUTE IMMEDIATE CONCAT('ALTER USER ', accounts, ' PASSWORD EXPIRE'); END IF;";
