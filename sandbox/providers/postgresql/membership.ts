// A login that is no superuser may change what a role owns only as its member: it becomes one for as long as the
// change takes, inside the transaction.
import { identifier } from "./sql";
import type { Session } from "./server";

/** The rows to lock one after the other, so that changes of one role's rights by several sessions do not race. */
export async function lockRole(session: Session, role: string): Promise<void> {
  await session.query("SET LOCAL statement_timeout = 0");
  await session.query(
    "SELECT pg_catalog.pg_advisory_xact_lock(oid::bigint) FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1",
    [role],
  );
  await session.query(
    `SELECT pg_catalog.pg_advisory_xact_lock(member) FROM (
       SELECT m.member::bigint FROM pg_catalog.pg_auth_members m
       JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) m.roleid WHERE r.rolname OPERATOR(pg_catalog.=) $1 ORDER BY 1
     ) members`,
    [role],
  );
}

export async function lockCurrentUser(session: Session): Promise<void> {
  await session.query(
    "SELECT pg_catalog.pg_advisory_xact_lock(oid::bigint) FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user AND NOT rolsuper",
  );
}

export async function lockDatabase(session: Session, database: string): Promise<void> {
  await session.query(
    "SELECT pg_catalog.pg_advisory_xact_lock(oid::bigint) FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) $1",
    [database],
  );
}

/** What the real plugin (1.26.0) does not lock: two grants on one schema then fail, "tuple concurrently updated". */
export async function lockSchema(session: Session, schema: string): Promise<void> {
  await session.query(
    "SELECT pg_catalog.pg_advisory_xact_lock(oid::bigint) FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $1",
    [schema],
  );
}

export async function asMemberOf<T>(
  session: Session,
  roles: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const user = await currentUser(session);
  if (user.superuser) {
    return work();
  }
  await lockCurrentUser(session);
  const joined: string[] = [];
  const released: string[] = [];
  for (const role of new Set(roles)) {
    if (role === "" || role === user.name || (await isSuperuser(session, role))) {
      continue;
    }
    // PostgreSQL has no two roles as members of each other.
    if (await leave(session, user.name, role)) {
      released.push(role);
    }
    if (await join(session, role, user.name)) {
      joined.push(role);
    }
  }
  const result = await work();
  for (const role of joined) {
    await leave(session, role, user.name);
  }
  for (const role of released) {
    if (await roleExists(session, role)) {
      await join(session, user.name, role);
    }
  }
  return result;
}

/** Makes `member` a member of `role`; false if it is one already. */
export async function join(session: Session, role: string, member: string): Promise<boolean> {
  if (role === member || (await isMember(session, role, member))) {
    return false;
  }
  await session.query(`GRANT ${identifier(role)} TO ${identifier(member)}`);
  return true;
}

/** Ends the membership of `member` in `role`; false if there was none. */
export async function leave(session: Session, role: string, member: string): Promise<boolean> {
  if (role === member || !(await isMember(session, role, member))) {
    return false;
  }
  await session.query(`REVOKE ${identifier(role)} FROM ${identifier(member)}`);
  return true;
}

/** From PostgreSQL 16 on there are memberships that do not let the member act as the role; they do not count. */
async function isMember(session: Session, role: string, member: string): Promise<boolean> {
  const rows = await session.query(
    `SELECT 1 FROM pg_catalog.pg_auth_members m
     WHERE pg_catalog.pg_get_userbyid(m.roleid) OPERATOR(pg_catalog.=) $1 AND pg_catalog.pg_get_userbyid(m.member) OPERATOR(pg_catalog.=) $2
       AND COALESCE((pg_catalog.to_jsonb(m) OPERATOR(pg_catalog.->>) 'set_option')::boolean, true)`,
    [role, member],
  );
  return rows.length > 0;
}

export async function roleExists(session: Session, role: string): Promise<boolean> {
  return (
    (await session.query("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1", [role]))
      .length > 0
  );
}

async function isSuperuser(session: Session, role: string): Promise<boolean> {
  const rows = await session.query(
    "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1",
    [role],
  );
  if (rows[0] === undefined) {
    throw new Error(`the role ${role} does not exist`);
  }
  return rows[0].rolsuper === true;
}

export async function currentUser(session: Session): Promise<{ name: string; superuser: boolean }> {
  const rows = await session.query(
    "SELECT rolname, rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user",
  );
  return { name: String(rows[0]?.rolname), superuser: rows[0]?.rolsuper === true };
}
