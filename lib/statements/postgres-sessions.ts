// How a revocation ends sessions.
import { indent } from "./plpgsql";
import { joiningMembers, returningLoans } from "./postgres-members";
import { inTime, STARTING } from "./postgres-user";

/** Milliseconds for the user's sessions to end. */
const ENDING = 900;

export function endingSessions(): string[] {
  return [
    ...joiningMembers(),
    `give_up := ${inTime(ENDING)};`,
    `LOOP`,
    `  starting := ${STARTING};`,
    `  PERFORM pg_catalog.pg_stat_clear_snapshot();`,
    `  SELECT pg_catalog.array_agg(pid) FILTER (WHERE usesysid IS NOT NULL),`,
    `      pg_catalog.count(CASE WHEN usesysid OPERATOR(pg_catalog.=) user_oid THEN pg_catalog.pg_terminate_backend(pid) END)`,
    `    INTO known, alive FROM pg_catalog.pg_stat_get_activity(NULL);`,
    ...indent(endingMembers()),
    `  IF NOT starting OPERATOR(pg_catalog.<@) known THEN`,
    ...indent(indent(endingStarting())),
    `  END IF;`,
    `  EXIT WHEN alive OPERATOR(pg_catalog.=) 0;`,
    `  IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) give_up THEN`,
    `    RAISE EXCEPTION $$sessions of % could not be ended: % left$$, user_name, alive;`,
    `  END IF;`,
    `  PERFORM pg_catalog.pg_sleep(0.005);`,
    `END LOOP;`,
    ...returningLoans(),
  ];
}

function endingMembers(): string[] {
  return [
    `FOR other IN`,
    `  SELECT pid FROM pg_catalog.pg_stat_get_activity(NULL)`,
    `  WHERE usesysid OPERATOR(pg_catalog.=) ANY (acting)`,
    // Who is a member no more may go on with new sessions; the time of the statement is that of the engine's whole message.
    `    AND (backend_start IS NULL OR backend_start OPERATOR(pg_catalog.<) begun)`,
    `LOOP`,
    `  BEGIN`,
    `    PERFORM pg_catalog.pg_terminate_backend(other.pid);`,
    `    alive := alive OPERATOR(pg_catalog.+) 1;`,
    `  EXCEPTION WHEN insufficient_privilege THEN`,
    `    RAISE EXCEPTION $$process % may act for %, as its login was a member of it, and may not be ended by %$$, other.pid, user_name, CURRENT_USER;`,
    `  END;`,
    `END LOOP;`,
  ];
}

/**
 * A backend that has passed the look at whether its login may log in, but has not come up yet, is in no list of sessions and
 * does not say whose it is; it holds a lock. As the login itself, what may be ended is the login's.
 */
function endingStarting(): string[] {
  return [
    `FOR other IN`,
    `  SELECT rolname FROM pg_catalog.pg_roles`,
    `  WHERE oid OPERATOR(pg_catalog.=) ANY (pg_catalog.array_append(acting, user_oid)) AND pg_catalog.pg_has_role(oid, $$USAGE$$)`,
    `LOOP`,
    `  PERFORM pg_catalog.set_config($$role$$, other.rolname::pg_catalog.text, true);`,
    `  FOREACH backend IN ARRAY starting LOOP`,
    `    CONTINUE WHEN backend OPERATOR(pg_catalog.=) ANY (known);`,
    `    BEGIN`,
    `      IF pg_catalog.pg_terminate_backend(backend) THEN`,
    `        alive := alive OPERATOR(pg_catalog.+) 1;`,
    `      END IF;`,
    `    EXCEPTION WHEN insufficient_privilege THEN`,
    `      NULL; -- that of somebody else`,
    `    END;`,
    `  END LOOP;`,
    `  PERFORM pg_catalog.set_config($$role$$, engine_role, true);`,
    `END LOOP;`,
  ];
}
