import type { Duration } from "../duration";
import { aboutUser, execute, inFormat, USER_NAME } from "./plpgsql";
import { quoteIdentifier, quoteLiteral } from "./quote";

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

/** What a login may do besides its base role's rights. */
export interface LoginLimits {
  /** Most sessions at a time of one credential. @default - no limit */
  readonly connectionLimit?: number;
}

const NAME = `"{{name}}"`;

/** Others wait for the engine meanwhile: whoever holds what a statement needs, it fails, and can be tried again. */
const BOUNDED = `SET LOCAL lock_timeout = 500;`;

/** Minor releases that take `ALTER ROLE … SET role` and do not act on it (fixed by the next one, of November 2024). */
const IGNORE_SET_ROLE = [140014, 150009, 160005, 170001];

/**
 * Creates a login that is a member of a base role and nothing else.
 *
 * From PostgreSQL 16 on the membership cannot be used with SET ROLE, so that a session that survives its role keeps no
 * rights; before 16 there is no such option, and revocation ends the sessions.
 *
 * @param baseRole name of the NOLOGIN role whose rights are handed out
 */
export function membershipCreation(baseRole: string, limits: LoginLimits = {}): string[] {
  const grant = `GRANT ${inFormat(quoteIdentifier(baseRole))} TO %I`;
  return [
    first(refusingNames()),
    `${login(limits)};`,
    aboutUser(
      [],
      [
        `IF ${atLeast(160000)} THEN`,
        `  ${execute(`${grant} WITH INHERIT TRUE, SET FALSE`, "user_name")}`,
        `ELSE`,
        `  ${execute(grant, "user_name")}`,
        `END IF;`,
      ],
    ),
  ];
}

/**
 * Creates a login that acts as its base role from the start of each session, so that what it makes belongs to the base
 * role and stays when the login goes. A server that would not act on that refuses.
 *
 * @param baseRole name of the NOLOGIN role whose rights are handed out
 * @param timeouts bounds on idle sessions, for `drain`
 */
export function assumingCreation(
  baseRole: string,
  timeouts?: DrainTimeouts,
  limits: LoginLimits = {},
): string[] {
  const statements = [
    first([...refusingNames(), ...refusingServers()]),
    `${login(limits)} IN ROLE ${quoteIdentifier(baseRole)};`,
    `ALTER ROLE ${NAME} SET role = ${quoteLiteral(baseRole)};`,
  ];
  if (timeouts) {
    statements.push(
      `ALTER ROLE ${NAME} SET idle_session_timeout = ${timeouts.idleSession.toMilliseconds()};`,
      `ALTER ROLE ${NAME} SET idle_in_transaction_session_timeout = ${timeouts.idleInTransaction.toMilliseconds()};`,
    );
  }
  return statements;
}

/** What is said of a login whose sessions end with it. */
export const SESSIONS_END = "its sessions end with it";

/**
 * Says of a login that its sessions end with it, also where its role drains by then. To say otherwise takes CREATEROLE, so that
 * the login cannot, while it may set its timeouts itself.
 */
export function markingTerminated(): string[] {
  return [`COMMENT ON ROLE ${NAME} IS ${quoteLiteral(SESSIONS_END)};`];
}

/**
 * Moves the date until which a login's password is valid. A login can lock its own row, and have its renewal tried as often as
 * it likes, while others wait for the engine: not for long. No DO block: OpenBao splits one here (openbao#4006).
 */
export function renewal(): string[] {
  return [
    `SET LOCAL lock_timeout = 100;`,
    `SET LOCAL statement_timeout = 1000;`,
    `ALTER ROLE ${NAME} VALID UNTIL '{{expiration}}';`,
  ];
}

/**
 * Sets the password of a static role's login, which can lock its own row as well: others wait for the engine meanwhile, and
 * the rotation fails, is tried again, and leaves the old password until then.
 */
export function rotation(): string[] {
  return [BOUNDED, `ALTER ROLE ${NAME} WITH PASSWORD '{{password}}';`];
}

function first(lines: readonly string[]): string {
  return [BOUNDED, aboutUser([], lines)].join("\n");
}

function login({ connectionLimit }: LoginLimits): string {
  const limit = connectionLimit === undefined ? "" : ` CONNECTION LIMIT ${connectionLimit}`;
  return `CREATE ROLE ${NAME} WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'${limit}`;
}

/**
 * The engine writes the name into the next statement as it is, and its own template holds what an identity provider says of
 * a person: a double quote would end the name there, and the engine fills in what is in a name, too, before or after the
 * name itself, so that one name becomes several.
 */
function refusingNames(): string[] {
  const holds = (text: string) => `pg_catalog.strpos(${USER_NAME}, ${text}) OPERATOR(pg_catalog.>) 0`;
  // Two braces, written so that nobody reads a placeholder in it.
  const texts = ["pg_catalog.repeat('{', 2)", "'{{expiration}}'", "'{{password}}'"];
  return [
    `IF ${texts.map(holds).join(" OR ")} THEN`,
    `  RAISE EXCEPTION 'the user name holds a placeholder of the engine: set username_template on the connection';`,
    `END IF;`,
    `IF pg_catalog.strpos(user_name, '"') OPERATOR(pg_catalog.>) 0 THEN`,
    `  RAISE EXCEPTION 'the user name % holds a double quote: set username_template on the connection', user_name;`,
    `END IF;`,
  ];
}

function refusingServers(): string[] {
  const ignores = IGNORE_SET_ROLE.map((version) => `${VERSION} OPERATOR(pg_catalog.=) ${version}`).join(
    " OR ",
  );
  return [
    `IF ${ignores} THEN`,
    `  RAISE EXCEPTION 'PostgreSQL % ignores ALTER ROLE ... SET role: update it to the next minor release', pg_catalog.current_setting('server_version');`,
    `END IF;`,
  ];
}

const VERSION = "pg_catalog.current_setting('server_version_num')::int";

function atLeast(version: number): string {
  return `${VERSION} OPERATOR(pg_catalog.>=) ${version}`;
}
