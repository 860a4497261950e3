import type { DatabaseUser } from "./database-users";
import type { LockHolder, UserSession } from "./lock-holders";
import { shownLiteral } from "./sql-text";
import { inLine, lasting } from "./text";

/** Tells of the rest only how many there are. */
const MOST_TOLD = 5;

/** What is open on a user that could not be dropped, such as `process 7 of app, in shop, holds a lock on what it owns`. */
export function holdDetails(holders: readonly LockHolder[]): string[] {
  const told = holders.slice(0, MOST_TOLD).map((holder) => `${named(holder)} ${deed(holder)}`);
  return holders.length > MOST_TOLD ? [...told, `${holders.length - MOST_TOLD} more do so`] : told;
}

/** How each of them is ended. */
export function holdRemedies(
  user: DatabaseUser,
  sessions: readonly UserSession[],
  holders: readonly LockHolder[],
): string[] {
  const told = holders.slice(0, MOST_TOLD);
  const pids = told.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  const ends = pids.map((pid) => `SELECT pg_catalog.pg_terminate_backend(${pid});`);
  return [
    ...(ends.length > 0
      ? [`To end what holds it, after a look at what that does, as a superuser: ${ends.join(" ")}`]
      : []),
    ...(told.some(({ isAutovacuum }) => isAutovacuum)
      ? [
          "Autovacuum comes back to the table, and runs the code of its indexes as the table's owner: try again at once, or " +
            "set autovacuum_enabled = off on the table first.",
        ]
      : []),
    ...told.flatMap(({ gid, database }) =>
      gid === undefined
        ? []
        : [`As its owner or a superuser in ${database}: ROLLBACK PREPARED ${shownLiteral(gid)};`],
    ),
    ...deaf(user, sessions),
  ];
}

function named({ pid, gid, user, database, isAutovacuum, seconds }: LockHolder): string {
  const whose = isAutovacuum ? " (autovacuum)" : user === undefined ? "" : ` of ${user}`;
  const where = database === "" ? "" : `, in ${database}`;
  const what = pid === undefined ? `the prepared transaction ${inLine(gid ?? "")}` : `process ${pid}`;
  return `${what}${whose}${where}, open for ${lasting(seconds)},`;
}

function deed({ holds }: LockHolder): string {
  switch (holds) {
    case "user":
      return "holds a lock on the user";
    case "owned":
      return "holds a lock on what the user owns";
    case "guarded":
      return "holds a lock on a table with a policy that names the user";
    case "granted":
      return "holds a lock on what the user has rights on";
    case "some table":
      return "holds locks on tables, of which one may have a policy that names the user";
    case "some role":
      return "has changed a role, and may hold the user's row";
    case "something":
      return "has changed something, and may hold what is needed to drop the user";
  }
}

/** A revocation has told them to end. */
function deaf({ shut }: DatabaseUser, sessions: readonly UserSession[]): string[] {
  if (shut === "expired") return [];
  const active = sessions.filter(({ state }) => state !== undefined && state !== "idle");
  if (active.length === 0) return [];
  const states = active.map(({ pid, state, seconds }) => `${pid} is ${state} for ${lasting(seconds ?? 0)}`);
  return [
    `One that goes on (${states.join(", ")}) heeds no signal until its statement ends. Wait for that; else restart PostgreSQL, ` +
      "fast or immediate, or kill -9 the process on its host: either ends the sessions of all.",
  ];
}
