// The first step of a revocation: nobody logs in any more.
import { execute, handingOn, indent, innerBlock } from "./plpgsql";
import { becomingMember, BORROWS, JOINING, notingMembers, revokingMemberships } from "./postgres-members";
import {
  COMMENT,
  inTime,
  KEEPING,
  NOBODY,
  NOTED_BEFORE,
  OTHERS_JOINED,
  USER_OID,
  TAKES_MEMBERSHIPS,
  terminatingAll,
} from "./postgres-user";
import { bodyLiteral } from "./quote";

/** Milliseconds of the first block: for a lock that keeps it from refusing logins, for ending sessions then, and in all. */
export const REFUSING = { lock: 100, sessions: 300, all: 700 };

export function refusingLogins(namePrefix: string | undefined): string[] {
  const issuedElsewhere =
    namePrefix === undefined
      ? "ELSE"
      : `ELSIF NOT pg_catalog.starts_with(user_name, ${bodyLiteral(namePrefix)}) THEN`;
  return [
    `PERFORM ${handingOn("user", "user_name::pg_catalog.text")}, ${handingOn("acting", NOBODY)};`,
    ...KEEPING,
    `IF user_oid IS NOT NULL THEN`,
    `  BEGIN`,
    `    ${FORBID}`,
    // Apart, since the second costs a query.
    `    IF ${TAKES_MEMBERSHIPS} THEN`,
    `      IF ${HAS_MEMBERS} THEN`,
    `        RAISE lock_not_available; -- goes on below`,
    `      END IF;`,
    `    END IF;`,
    `  EXCEPTION WHEN lock_not_available OR internal_error THEN`,
    `    ${innerBlock(REFUSING_VARIABLES, [...insisting(), ...notingMembers(HAS_MEMBERS), ...stripping()])}`,
    `  END;`,
    issuedElsewhere,
    `  RAISE EXCEPTION $$there is no user % on this server, so that none was ended: it was issued on another one, or dropped by hand$$, user_name;`,
    `END IF;`,
  ];
}

/**
 * The password goes too: up to PostgreSQL 17 a user can give itself a verifier of hundreds of megabytes, which each look at its
 * row reads as a whole.
 */
const FORBID = execute("ALTER ROLE %I NOLOGIN PASSWORD NULL", "user_name");

/** Now, or when an attempt before noted them. */
const HAS_MEMBERS = `${OTHERS_JOINED} OR EXISTS (SELECT FROM ${COMMENT} WHERE ${NOTED_BEFORE})`;

const REFUSING_VARIABLES = [
  USER_OID,
  JOINING,
  BORROWS,
  `other pg_catalog.record;`,
  `is_refused boolean := false;`,
  `give_up pg_catalog.timestamptz;`,
  ...["mark", "noted", "held"].map((name) => `${name} pg_catalog.text;`),
];

/**
 * A user may change its own password, and so hold its row in a transaction that it leaves open or prepares, or change it again
 * and again. Its sessions are ended then, for a while: others wait for the engine.
 */
function insisting(): string[] {
  return [
    `BEGIN`,
    ...indent([
      ...becomingMember(),
      `give_up := ${inTime(REFUSING.sessions)};`,
      `LOOP`,
      `  BEGIN`,
      `    ${FORBID}`,
      `    is_refused := true;`,
      `    EXIT;`,
      `  EXCEPTION WHEN lock_not_available OR internal_error THEN`,
      `    EXIT WHEN pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) give_up;`,
      `    PERFORM pg_catalog.pg_stat_clear_snapshot();`,
      ...indent(indent(terminatingAll())),
      `  END;`,
      `END LOOP;`,
    ]),
    `EXCEPTION WHEN OTHERS THEN`,
    `  NULL; -- told below`,
    `END;`,
  ];
}

/** Where that does not help, its memberships, which nobody but the engine can hold, are revoked: a new login has no rights. */
function stripping(): string[] {
  return [`IF NOT is_refused THEN`, ...indent(revokingMemberships()), `END IF;`];
}
