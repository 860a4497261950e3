import type { Client } from "pg";
import type { PostgresOutput, RoleOutput } from "../stacks/outputs";
import { Failure, Skip, type CheckList } from "./checks";
import { logIn, sqlState, SqlState, type Login } from "./postgres-login";
import { onceFree, sessionLimit } from "./session-limit";
import { listed } from "./text";

export interface AccessContext {
  readonly list: CheckList;
  readonly subject: string;
  readonly client: Client;
  readonly role: Pick<RoleOutput, "access" | "schemas">;
  readonly login: Login;
  readonly postgres: PostgresOutput;
  readonly rootCertificateFile?: string;
  /** Name of a table with the columns `id` and `note` and one row, in each schema that has one. */
  readonly scratchTable: string;
  /** Whether the scratch table is there, by schema. */
  readonly scratch: ReadonlyMap<string, boolean>;
  /** Suffix for names of what must not come into being, or goes at once. */
  readonly suffix: string;
}

type Statement = readonly [name: string, sql: string];

/** The table to try rights on is locked, so that nobody changes it. */
const LOCK_TIMEOUT_MS = 1_000;
/** Less than the connection waits for an answer. */
const STATEMENT_TIMEOUT_MS = 10_000;

/** Checks what the role's access level allows, and that nothing else works. Ends the session of a login that may have but one. */
export async function checkAccess(context: AccessContext): Promise<void> {
  const { list, subject, role, client } = context;
  // What is tried on the table of another session of ours ends here, and on the server, before this one is given up.
  for (const setting of [
    `lock_timeout = ${LOCK_TIMEOUT_MS}`,
    `statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
  ]) {
    await client.query(`SET ${setting}`);
  }
  switch (role.access) {
    case "owner":
      for (const schema of role.schemas) await checkOwner(context, schema);
      await list.expect("may use what its base role owns", subject, () => checkOwned(context));
      break;
    case "read-write":
    case "read-only":
      for (const schema of role.schemas) await checkRows(context, schema, role.access === "read-write");
      await refuses(context, [
        "may not make temporary tables",
        `CREATE TEMPORARY TABLE t_${context.suffix} ()`,
      ]);
      await refuses(context, ["may not create schemas", `CREATE SCHEMA "s_${context.suffix}"`]);
      break;
    default:
      await list.skip(
        "access",
        subject,
        `access level ${role.access}: only the owner of the grants knows what to expect`,
      );
  }
  await list.expect("has no special attribute", subject, () => checkAttributes(context));
  await refuses(context, ["may not create roles", `CREATE ROLE "r_${context.suffix}"`]);
  await refuses(context, ["may not create databases", `CREATE DATABASE "d_${context.suffix}"`]);
  await list.expect("may not enter other databases", subject, () => checkOtherDatabases(context));
}

/**
 * Of what belongs to the base role: Terraform's provider takes an owner's own rights when a grant of the base role is taken back,
 * as when a lower access was declared for a while.
 */
async function checkOwned({ client, role }: AccessContext): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
     WHERE n.nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
       AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog."char"[])
       AND pg_catalog.pg_get_userbyid(c.relowner) OPERATOR(pg_catalog.=) current_user
       AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')
     ORDER BY 1`,
    [role.schemas],
  );
  if (rows.length === 0) return "what its base role owns, it may read";
  const names = rows.map(({ name }) => name);
  throw new Failure(
    `its base role may not read ${listed(names.slice(0, 3))}${names.length > 3 ? ` and ${names.length - 3} more` : ""}, which it owns; as ` +
      `such a credential: ${role.schemas.map((schema) => `GRANT ALL ON ALL TABLES IN SCHEMA ${client.escapeIdentifier(schema)} TO CURRENT_USER;`).join(" ")}`,
  );
}

/**
 * In a transaction that is taken back: nobody else sees the table. Another owner, who may do as much with it, could have it
 * run code of its own in this session, by a trigger say.
 */
async function checkOwner(context: AccessContext, schema: string): Promise<void> {
  const { client } = context;
  const table = qualified(context, schema, `owned_${context.suffix}`);
  await client.query("BEGIN");
  try {
    for (const statement of [
      [`may create a table in ${schema}`, `CREATE TABLE ${table} (id integer)`],
      [`may alter it`, `ALTER TABLE ${table} ADD COLUMN note pg_catalog.text`],
      [`may insert into it`, `INSERT INTO ${table} (id, note) VALUES (1, 'one')`],
      [`may select from it`, `SELECT id, note FROM ${table}`],
      [`may drop it`, `DROP TABLE ${table}`],
    ] as const) {
      // One that fails says nothing of the next.
      await client.query("SAVEPOINT before_it");
      if (!(await allows(context, statement))) await client.query("ROLLBACK TO SAVEPOINT before_it");
    }
  } finally {
    await client.query("ROLLBACK");
  }
}

async function checkRows(context: AccessContext, schema: string, writes: boolean): Promise<void> {
  const created = qualified(context, schema, `created_${context.suffix}`);
  await refuses(context, [`may not create a table in ${schema}`, `CREATE TABLE ${created} (id integer)`]);
  const table = qualified(context, schema, context.scratchTable);
  const changes: Statement[] = [
    [`insert into tables of ${schema}`, `INSERT INTO ${table} (id, note) VALUES (2, 'two')`],
    [`update tables of ${schema}`, `UPDATE ${table} SET note = 'changed' WHERE id OPERATOR(pg_catalog.=) 2`],
    [`delete from tables of ${schema}`, `DELETE FROM ${table} WHERE id OPERATOR(pg_catalog.=) 2`],
  ];
  const never: Statement[] = [
    [`truncate tables of ${schema}`, `TRUNCATE ${table}`],
    [`alter tables of ${schema}`, `ALTER TABLE ${table} ADD COLUMN more pg_catalog.text`],
    [`drop tables of ${schema}`, `DROP TABLE ${table}`],
  ];
  if (context.scratch.get(schema) !== true) {
    const reason = `no table to try it on: no AppRole here has owner access to ${schema}, or lets us in`;
    await context.list.skip(`rows of tables of ${schema}`, context.subject, reason);
    return;
  }
  await allows(context, [`may select from tables of ${schema}`, `SELECT id, note FROM ${table}`]);
  for (const [name, sql] of changes) {
    if (writes) await allows(context, [`may ${name}`, sql]);
    else await refuses(context, [`may not ${name}`, sql]);
  }
  for (const [name, sql] of never) await refuses(context, [`may not ${name}`, sql]);
}

function allows({ list, subject, client }: AccessContext, [name, sql]: Statement): Promise<boolean> {
  return list.expect(name, subject, async () => {
    const result = await client.query(sql);
    return result.rowCount === null ? "done" : `${result.rowCount} row${result.rowCount === 1 ? "" : "s"}`;
  });
}

/** Holds only if PostgreSQL refuses for lack of privilege; an error of another kind proves nothing. */
function refuses({ list, subject, client }: AccessContext, [name, sql]: Statement): Promise<boolean> {
  return list.expect(name, subject, async () => {
    // CREATE DATABASE does not run in a transaction; the others are taken back if they should succeed.
    const inTransaction = !sql.startsWith("CREATE DATABASE");
    if (inTransaction) await client.query("BEGIN");
    try {
      await client.query(sql);
    } catch (error) {
      if (sqlState(error) === SqlState.insufficientPrivilege) return `refused: ${(error as Error).message}`;
      // PostgreSQL looks at rights before it waits.
      if (sqlState(error) === SqlState.lockNotAvailable) {
        throw new Failure(`it was allowed, and waited for a lock: ${sql}`);
      }
      throw error;
    } finally {
      if (inTransaction) await client.query("ROLLBACK");
    }
    throw new Failure(`it was allowed: ${sql}`);
  });
}

async function checkAttributes({ client }: AccessContext): Promise<string> {
  const { rows } = await client.query<{ attribute: string }>(
    `SELECT attribute FROM pg_catalog.pg_roles, LATERAL (VALUES
       ('SUPERUSER', rolsuper), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
       ('REPLICATION', rolreplication), ('BYPASSRLS', rolbypassrls)) AS attributes (attribute, held)
     WHERE held
       AND (rolname OPERATOR(pg_catalog.=) session_user OR rolname OPERATOR(pg_catalog.=) current_user)`,
  );
  if (rows.length > 0) throw new Failure(`it has ${rows.map((row) => row.attribute).join(", ")}`);
  return "no SUPERUSER, CREATEROLE, CREATEDB, REPLICATION, BYPASSRLS";
}

async function checkOtherDatabases(context: AccessContext): Promise<string> {
  const { client, login, postgres, rootCertificateFile } = context;
  const { rows } = await client.query<{ datname: string }>(
    `SELECT datname FROM pg_catalog.pg_database
     WHERE datallowconn AND datname OPERATOR(pg_catalog.<>) pg_catalog.current_database() ORDER BY datname`,
  );
  if (rows.length === 0) throw new Skip("the server has no other database");
  // PostgreSQL counts before it looks at the right to connect.
  if ((await sessionLimit(client, login.username)) === 1) await client.end();
  const entered: string[] = [];
  for (const { datname } of rows) {
    try {
      const enter = () => logIn(postgres, login, rootCertificateFile, datname);
      await (await onceFree(login.username, enter)).close();
      entered.push(datname);
    } catch (error) {
      // 42501: no CONNECT privilege. 28000: pg_hba.conf has no line for it.
      const state = sqlState(error);
      if (state !== SqlState.insufficientPrivilege && state !== SqlState.invalidAuthorization) throw error;
    }
  }
  if (entered.length > 0) {
    throw new Failure(`it entered ${entered.join(", ")}; REVOKE CONNECT ON DATABASE … FROM PUBLIC there`);
  }
  return `refused by ${rows.length}: ${rows.map((row) => row.datname).join(", ")}`;
}

function qualified({ client }: AccessContext, schema: string, table: string): string {
  return `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`;
}
