// What a user leaves that is no session: prepared transactions, what it owns, and its rights.
import { execute, indent, oidOfRole } from "./plpgsql";
import { borrowing, returningLoans } from "./postgres-members";
import { COMMENT, HELD, HELD_BEFORE, LOCK_TIMEOUT, NOBODY, PG_AUTHID } from "./postgres-user";
import { bodyLiteral } from "./quote";

/** What belongs to a user, or was granted to it: more is not for the engine to clean up while others wait for it. */
const MOST_OBJECTS = 1000;

/** Milliseconds for each lock of a table: autovacuum lets go of one, once somebody has waited for it for deadlock_timeout. */
const TABLE_LOCK_TIMEOUT = 1_200;

/**
 * A transaction that was prepared for two-phase commit is no session: it keeps its locks, and others may commit it. Nobody
 * can tell whose it is if it belongs to the base role, so that those that were there when the sessions had ended have to go.
 */
export function refusingPrepared(reassignTo: string | undefined): string[] {
  const base =
    reassignTo === undefined
      ? []
      : [
          `        OR pg_catalog.pg_has_role(${oidOfRole(bodyLiteral(reassignTo))}::pg_catalog.oid, ownerid, $$MEMBER$$)`,
        ];
  return [
    `SELECT ${HELD_BEFORE} INTO held_before FROM ${COMMENT};`,
    `FOR attempt IN 0..10 LOOP`,
    `  gids := ARRAY(`,
    `    SELECT gid FROM pg_catalog.pg_prepared_xact() AS waiting`,
    `    WHERE (gids IS NULL OR gid OPERATOR(pg_catalog.=) ANY (gids)) AND (`,
    `      ownerid OPERATOR(pg_catalog.=) ANY (acting) OR pg_catalog.pg_has_role(user_oid, ownerid, $$MEMBER$$)`,
    ...base,
    // An attempt before may have revoked its memberships.
    `        OR EXISTS (SELECT FROM pg_catalog.unnest(held_before) AS role WHERE pg_catalog.pg_has_role(role, ownerid, $$MEMBER$$))`,
    `    )`,
    `  );`,
    `  EXIT WHEN pg_catalog.cardinality(gids) OPERATOR(pg_catalog.=) 0;`,
    `  IF attempt OPERATOR(pg_catalog.=) 10 THEN`,
    `    RAISE EXCEPTION $$prepared transactions of % or of its base role are left, to be committed or rolled back: %$$, user_name, pg_catalog.array_to_string(gids, $$, $$);`,
    `  END IF;`,
    `  PERFORM pg_catalog.pg_sleep(0.05);`,
    `END LOOP;`,
  ];
}

/**
 * To whoever has no more rights than the user had: a function or view of the user's acts with the rights of whoever it belongs to,
 * for everybody. So the role in question has to be one whose rights the user has, or had, as its member; where the code names another by now,
 * the one that the user is a member of gets it. To the engine's login it gives nothing.
 */
function reassigning(reassignTo: string | undefined): string[] {
  if (reassignTo === undefined) {
    return [
      `IF ${OWNS_SOMETHING} THEN`,
      `  RAISE EXCEPTION $$user % owns objects, and its role has no base role that gets them: REASSIGN or DROP them, or give the role one$$, user_name;`,
      `END IF;`,
    ];
  }
  const base = bodyLiteral(reassignTo);
  const isBase = `pg_catalog.pg_has_role(oid, ${oidOfRole(base)}::pg_catalog.oid, $$USAGE$$)`;
  return [
    `SELECT CASE WHEN pg_catalog.bool_or(${isBase}) THEN ${base} WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 THEN pg_catalog.min(rolname::pg_catalog.text) END`,
    `  INTO heir FROM pg_catalog.pg_roles WHERE oid OPERATOR(pg_catalog.=) ANY (held_before) OR oid OPERATOR(pg_catalog.=) ANY (ARRAY(`,
    `    ${HELD}`,
    `  ));`,
    `IF heir IS NOT NULL THEN`,
    `  SET LOCAL lock_timeout = ${TABLE_LOCK_TIMEOUT};`,
    `  ${execute("REASSIGN OWNED BY %I TO %I", "user_name", "heir")}`,
    `  SET LOCAL lock_timeout = ${LOCK_TIMEOUT};`,
    `ELSIF ${OWNS_SOMETHING} THEN`,
    `  RAISE EXCEPTION $$user % owns objects, and is no member of %, which may have more rights: REASSIGN or DROP them$$, user_name, ${base};`,
    `END IF;`,
  ];
}

const OWNS_SOMETHING = [
  `EXISTS (`,
  `SELECT FROM pg_catalog.pg_shdepend WHERE refclassid OPERATOR(pg_catalog.=) ${PG_AUTHID}`,
  `AND refobjid OPERATOR(pg_catalog.=) user_oid AND deptype OPERATOR(pg_catalog.=) $$o$$`,
  `)`,
].join(" ");

/**
 * In this order: DROP OWNED first would delete the login's tables. The bounds keep one user's objects, or a table that is
 * locked, from holding up the engine, which runs one statement list per connection at a time.
 *
 * A right that somebody else has given can be taken back by whoever owns the object alone: the engine's login joins them for
 * the time being.
 */
export function handingOver(reassignTo: string | undefined): string[] {
  return [
    `SELECT pg_catalog.count(*) INTO objects FROM (`,
    `  SELECT FROM pg_catalog.pg_shdepend`,
    `  WHERE refclassid OPERATOR(pg_catalog.=) ${PG_AUTHID}`,
    `    AND refobjid OPERATOR(pg_catalog.=) user_oid LIMIT ${MOST_OBJECTS + 1}`,
    `) AS dependent;`,
    `IF objects OPERATOR(pg_catalog.>) ${MOST_OBJECTS} THEN`,
    `  RAISE EXCEPTION $$user % owns or has rights on more than ${MOST_OBJECTS} objects: hand them over with vault-postgres hand-over$$, user_name;`,
    `ELSIF objects OPERATOR(pg_catalog.>) 0 THEN`,
    `  lent := ${NOBODY};`,
    ...indent(reassigning(reassignTo)),
    `  FOR other IN`,
    `    SELECT DISTINCT owner.rolname FROM pg_catalog.pg_shdepend AS given`,
    `    JOIN pg_catalog.pg_shdepend AS owned ON owned.dbid OPERATOR(pg_catalog.=) given.dbid`,
    `      AND owned.classid OPERATOR(pg_catalog.=) given.classid AND owned.objid OPERATOR(pg_catalog.=) given.objid`,
    `      AND owned.deptype OPERATOR(pg_catalog.=) $$o$$`,
    `    JOIN pg_catalog.pg_roles AS owner ON owner.oid OPERATOR(pg_catalog.=) owned.refobjid`,
    `    WHERE given.refclassid OPERATOR(pg_catalog.=) ${PG_AUTHID}`,
    `      AND given.refobjid OPERATOR(pg_catalog.=) user_oid AND given.deptype OPERATOR(pg_catalog.=) $$a$$`,
    `      AND NOT pg_catalog.pg_has_role(owner.oid, $$USAGE$$)`,
    `  LOOP`,
    ...indent(indent(borrowing("told by DROP ROLE"))),
    `  END LOOP;`,
    `  ${execute("DROP OWNED BY %I", "user_name")}`,
    ...indent(returningLoans()),
    `END IF;`,
  ];
}
