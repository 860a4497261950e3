// Who is a member of the user that a revocation ends, and of whom the engine's login becomes one for it.
import { execute, handedOn, handingOn, indent } from "./plpgsql";
import {
  COMMENT,
  HELD,
  HELD_BEFORE,
  LENDS_ITSELF,
  MARK,
  MEMBERS_BEFORE,
  noting,
  STRIPPED,
  TAKES_MEMBERSHIPS,
  terminatingAll,
} from "./postgres-user";

/**
 * How the engine's login becomes a member that inherits, whatever it does by default; before PostgreSQL 16 that cannot be said
 * here.
 */
export const JOINING = [
  `joining CONSTANT pg_catalog.text := CASE`,
  `WHEN ${TAKES_MEMBERSHIPS}`,
  `THEN $$GRANT %I TO CURRENT_USER$$ ELSE $$GRANT %I TO CURRENT_USER WITH INHERIT TRUE, SET TRUE$$ END;`,
].join(" ");

function join(name: string): string {
  return `EXECUTE pg_catalog.format(joining, ${name});`;
}

/** Whether the engine's login makes itself a member of pg_signal_backend for a moment. */
export const BORROWS = `borrows boolean;`;

/**
 * In PostgreSQL 14 a user can hold the row of that membership as well, or change it again and again. Its sessions are told to
 * end first then, for which a role that creates roles can help itself there.
 */
export function becomingMember(): string[] {
  return [
    `BEGIN`,
    `  ${join("user_name")}`,
    `EXCEPTION WHEN OTHERS THEN`,
    `  IF NOT (${LENDS_ITSELF}) THEN`,
    `    RAISE;`,
    `  END IF;`,
    `  borrows := NOT pg_catalog.pg_has_role($$pg_signal_backend$$, $$MEMBER$$);`,
    `  IF borrows THEN GRANT pg_signal_backend TO CURRENT_USER; END IF;`,
    ...indent(
      terminatingAll(`ANY (pg_catalog.array_append(${handedOn("acting")}::pg_catalog.oid[], user_oid))`),
    ),
    `  IF borrows THEN REVOKE pg_signal_backend FROM CURRENT_USER; END IF;`,
    `  ${join("user_name")}`,
    `END;`,
    `IF NOT pg_catalog.pg_has_role(user_oid, $$USAGE$$) THEN`,
    `  RAISE EXCEPTION $$the login % of the engine is NOINHERIT, so that it may not end sessions of %: ALTER ROLE % INHERIT$$, CURRENT_USER, user_name, CURRENT_USER;`,
    `END IF;`,
  ];
}

/**
 * Who is a member of the user, by whichever way but the engine's own login, as an array: their sessions may act as the user's
 * base role. A superuser gains nothing by it. Those that were handed on are among them.
 *
 * @param known text of an array of more of them
 */
export function actingFor(...known: readonly string[]): string[] {
  return [
    `ARRAY(`,
    `  WITH RECURSIVE linked (id) AS (`,
    `    SELECT user_oid`,
    `    UNION`,
    `    SELECT membership.member FROM linked`,
    `    JOIN pg_catalog.pg_auth_members AS membership ON membership.roleid OPERATOR(pg_catalog.=) linked.id`,
    `    JOIN pg_catalog.pg_roles AS joined ON joined.oid OPERATOR(pg_catalog.=) membership.member`,
    `    WHERE joined.rolname OPERATOR(pg_catalog.<>) CURRENT_USER AND NOT joined.rolsuper`,
    `  )`,
    `  SELECT id FROM linked WHERE id OPERATOR(pg_catalog.<>) user_oid`,
    ...[handedOn("acting"), ...known].map(
      (each) => `  UNION SELECT pg_catalog.unnest(${each}::pg_catalog.oid[])`,
    ),
    `)`,
  ];
}

/**
 * Where the engine's login can, it makes others members no more, so that once this is committed only their sessions of before have to
 * be ended. The comment of the login keeps who they were for the next try: it takes CREATEROLE to change that. Where somebody has
 * locked it, the login is refused all the same.
 *
 * @param hasMembers expression
 */
export function notingMembers(hasMembers: string): string[] {
  return [
    `BEGIN`,
    `  IF ${TAKES_MEMBERSHIPS} AND (${hasMembers}) THEN`,
    `    SELECT ${MARK}, ${MEMBERS_BEFORE}, ${HELD_BEFORE} INTO mark, noted, held FROM ${COMMENT};`,
    `    noted := ${actingFor("noted").join("\n")}::pg_catalog.text;`,
    `    PERFORM ${handingOn("acting", "noted")};`,
    `    noted := pg_catalog.concat(mark, $$ of $$ OPERATOR(pg_catalog.||) noted, $$ in $$ OPERATOR(pg_catalog.||) held);`,
    `    ${execute("COMMENT ON ROLE %I IS %L", "user_name", "noted")}`,
    `    FOR other IN`,
    `      SELECT rolname FROM pg_catalog.pg_auth_members`,
    `      JOIN pg_catalog.pg_roles ON oid OPERATOR(pg_catalog.=) member`,
    `      WHERE roleid OPERATOR(pg_catalog.=) user_oid AND rolname OPERATOR(pg_catalog.<>) CURRENT_USER`,
    `    LOOP`,
    `      BEGIN`,
    `        ${execute("REVOKE %I FROM %I", "user_name", "other.rolname")}`,
    `      EXCEPTION WHEN OTHERS THEN`,
    // Held or changed by somebody, whose session is ended below if it can be: the next try has it.
    `        is_refused := false;`,
    `        EXIT;`,
    `      END;`,
    `    END LOOP;`,
    `  END IF;`,
    `EXCEPTION WHEN lock_not_available THEN`,
    `  NULL; -- told below`,
    `END;`,
  ];
}

/**
 * What the user has no right to, it cannot lend, nor use in a new session. The comment keeps what it had, for what it did as one
 * of these roles, and for what it owns.
 */
export function revokingMemberships(): string[] {
  const heldBefore = `SELECT pg_catalog.unnest(${HELD_BEFORE}::pg_catalog.oid[]) FROM ${COMMENT}`;
  const remark = [
    `(SELECT pg_catalog.regexp_replace(description, $$ in {[0-9,]*}$$, $$$$) FROM ${COMMENT})`,
    `$$ in $$`,
    `ARRAY(${HELD} UNION ${heldBefore})::pg_catalog.text`,
  ];
  return [
    noting(STRIPPED),
    `noted := pg_catalog.concat(${remark.join(", ")});`,
    execute("COMMENT ON ROLE %I IS %L", "user_name", "noted"),
    `FOR other IN`,
    `  SELECT held.rolname FROM pg_catalog.pg_auth_members`,
    `  JOIN pg_catalog.pg_roles AS held ON held.oid OPERATOR(pg_catalog.=) roleid`,
    `  WHERE member OPERATOR(pg_catalog.=) user_oid`,
    `LOOP`,
    `  BEGIN`,
    `    ${execute("REVOKE %I FROM %I", "other.rolname", "user_name")}`,
    `  EXCEPTION`,
    `    WHEN insufficient_privilege THEN NULL; -- told below`,
    `    WHEN OTHERS THEN EXIT; -- the next try has it`,
    `  END;`,
    `END LOOP;`,
  ];
}

/** To end sessions of those that were members, the engine's login becomes a member of them for the time being. */
export function joiningMembers(): string[] {
  return [
    `FOR other IN`,
    `  SELECT rolname FROM pg_catalog.pg_roles`,
    `  WHERE oid OPERATOR(pg_catalog.=) ANY (acting) AND NOT pg_catalog.pg_has_role(oid, $$USAGE$$)`,
    `LOOP`,
    ...indent(borrowing("told below, if it has a session")),
    `END LOOP;`,
  ];
}

export function borrowing(otherwise: string): string[] {
  return [
    `BEGIN`,
    `  ${join("other.rolname")}`,
    `  lent := pg_catalog.array_append(lent, other.rolname);`,
    `EXCEPTION WHEN insufficient_privilege THEN`,
    `  NULL; -- ${otherwise}`,
    `END;`,
  ];
}

export function returningLoans(): string[] {
  return [
    `FOREACH borrowed IN ARRAY lent LOOP`,
    `  ${execute("REVOKE %I FROM CURRENT_USER", "borrowed")}`,
    `END LOOP;`,
  ];
}
