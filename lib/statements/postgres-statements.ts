import type { Duration } from "../duration";
import { dollarQuote, quoteIdentifier, quoteLiteral } from "./quote";

/** The SQL that a dynamic role hands to the secrets engine; each list element is sent as the engine splits it. */
export interface RoleStatements {
  /** Makes the login of a credential. */
  readonly creation: string[];
  /** Moves the date until which its password is valid. */
  readonly renewal: string[];
  /** Ends it. */
  readonly revocation: string[];
}

/** How long sessions that outlive their credential may stay without work, in `drain`. */
export interface DrainTimeouts {
  /** `idle_session_timeout` of the issued role: a session outside a transaction. */
  readonly idleSession: Duration;
  /** `idle_in_transaction_session_timeout` of the issued role: a session inside one. */
  readonly idleInTransaction: Duration;
}

// The engine replaces these as plain text in the whole statement; it generates the name, so it needs no escaping.
const NAME = `"{{name}}"`;
const NAME_LITERAL = `'{{name}}'`;
// As a literal for the functions and types that read a role's name as SQL does.
const NAME_IN_LITERAL = `'"{{name}}"'`;
const LOGIN = `CREATE ROLE ${NAME} WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`;

/**
 * Creates a login that is a member of a base role and nothing else.
 *
 * From PostgreSQL 16 on the membership cannot be used with SET ROLE, so that a session that survives its role keeps no
 * rights; before 16 there is no such option, and revocation ends the sessions.
 *
 * @param baseRole name of the NOLOGIN role whose rights are handed out
 */
export function membershipCreation(baseRole: string): string[] {
  const grant = `GRANT ${quoteIdentifier(baseRole)} TO ${NAME}`;
  return [
    `${LOGIN};`,
    block(
      `IF current_setting('server_version_num')::int >= 160000 THEN`,
      `  EXECUTE ${quoteLiteral(`${grant} WITH INHERIT TRUE, SET FALSE`)};`,
      `ELSE`,
      `  ${grant};`,
      `END IF;`,
    ),
  ];
}

/**
 * Creates a login that acts as its base role from the start of each session, so that what it makes belongs to the base
 * role and stays when the login goes.
 *
 * @param baseRole name of the NOLOGIN role whose rights are handed out
 * @param timeouts bounds on idle sessions, for `drain`
 */
export function assumingCreation(baseRole: string, timeouts?: DrainTimeouts): string[] {
  const statements = [
    `${LOGIN} IN ROLE ${quoteIdentifier(baseRole)};`,
    `ALTER ROLE ${NAME} SET role = ${quoteLiteral(baseRole)};`,
  ];
  if (timeouts) {
    statements.push(
      `ALTER ROLE ${NAME} SET idle_session_timeout = ${milliseconds(timeouts.idleSession)};`,
      `ALTER ROLE ${NAME} SET idle_in_transaction_session_timeout = ${milliseconds(timeouts.idleInTransaction)};`,
    );
  }
  return statements;
}

/** Moves the date until which a login's password is valid. No DO block: OpenBao splits one here (openbao#4006). */
export function renewal(): string[] {
  return [`ALTER ROLE ${NAME} VALID UNTIL '{{expiration}}';`];
}

/**
 * Revoked means gone: refuses new logins, commits that, ends the login's sessions, hands over what it owned in the
 * connected database, and drops it.
 *
 * @param reassignTo role that gets what the login owned; the engine's own login if absent
 */
export function terminatingRevocation(reassignTo?: string): string[] {
  return [
    ...refusingLogins(),
    ifStillThere(
      // About 6 s at most: a backend ends itself once it looks, mostly within milliseconds.
      `FOR attempt IN 1..51 LOOP`,
      // By OID: the view's joins, which find the names, are then left out of the query.
      `  PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity`,
      `    WHERE usesysid = ${NAME_IN_LITERAL}::pg_catalog.regrole;`,
      `  EXIT WHEN NOT FOUND;`,
      `  IF attempt > 50 THEN`,
      `    RAISE EXCEPTION 'sessions of % could not be ended', ${NAME_LITERAL};`,
      `  END IF;`,
      `  PERFORM pg_catalog.pg_sleep(0.005 * attempt);`,
      `  PERFORM pg_catalog.pg_stat_clear_snapshot();`,
      `END LOOP;`,
      ...handOverAndDrop(reassignTo),
    ),
  ];
}

/**
 * Refuses new logins, commits that, hands over what the login owned and drops it, but leaves its sessions: a transaction
 * that runs goes on and commits, and idle sessions are bounded by the timeouts set at creation.
 *
 * @param reassignTo role that gets what the login owned; the engine's own login if absent
 */
export function drainingRevocation(reassignTo?: string): string[] {
  return [...refusingLogins(), ifStillThere(...handOverAndDrop(reassignTo))];
}

/**
 * Elements of their own, because an engine runs revocation in one transaction: in it, a NOLOGIN is invisible to others until
 * it ends, so that clients that reconnect in a loop survived, and it would be undone where the rest fails.
 */
function refusingLogins(): string[] {
  return [ifStillThere(`ALTER ROLE ${NAME} NOLOGIN;`, `GRANT ${NAME} TO CURRENT_USER;`), `COMMIT;`];
}

/** A revocation that failed is tried again, perhaps after its login was dropped. */
function ifStillThere(...lines: string[]): string {
  return block(`IF pg_catalog.to_regrole(${NAME_IN_LITERAL}) IS NOT NULL THEN`, ...indent(lines), `END IF;`);
}

/**
 * In this order: DROP OWNED first would delete the login's tables. The lock timeout keeps a busy table from holding up
 * the engine, which runs one statement list per connection at a time; it tries again later.
 */
function handOverAndDrop(reassignTo?: string): string[] {
  return [
    `PERFORM pg_catalog.set_config('lock_timeout', '10s', true);`,
    `REASSIGN OWNED BY ${NAME} TO ${reassignTo === undefined ? "CURRENT_USER" : quoteIdentifier(reassignTo)};`,
    `DROP OWNED BY ${NAME};`,
    `DROP ROLE ${NAME};`,
  ];
}

/** A DO block is a list element of its own: the engine does not split an element that holds the word END. */
function block(...lines: string[]): string {
  return `DO ${dollarQuote(["", "BEGIN", ...indent(lines), "END", ""].join("\n"))};`;
}

function indent(lines: string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function milliseconds(duration: Duration): string {
  return `${duration.toSeconds() * 1000}`;
}
