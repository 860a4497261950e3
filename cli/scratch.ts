import type { Client } from "pg";
import type { EnvironmentOutputs, RoleOutput } from "../stacks/outputs";
import { Application } from "./application";
import { Failure, type CheckList } from "./checks";
import { tellLeft } from "./given-up";
import { logIn, type Session } from "./postgres-login";
import type { VaultClient } from "./vault-client";

/** Tables to try rights on: one in each schema that an AppRole with owner access can make it in. */
export interface Scratch {
  readonly table: string;
  readonly schemas: ReadonlyMap<string, boolean>;
  /** Drops the tables. */
  remove(): Promise<void>;
}

interface Owner {
  readonly application: Application;
  /** Absent where it did not come to one. */
  session?: Session;
  readonly made: string[];
}

/** Makes the tables as the application that runs migrations would, so that the default privileges apply to them. */
export async function makeScratch(
  outputs: EnvironmentOutputs,
  operator: VaultClient,
  list: CheckList,
  table: string,
  rootCertificateFile?: string,
): Promise<Scratch> {
  const schemas = new Map<string, boolean>();
  const owners: Owner[] = [];
  for (const { application, role } of ownersIn(outputs, operator, list)) {
    const missing = role.schemas.filter((schema) => schemas.get(schema) !== true);
    if (missing.length === 0) continue;
    // Whatever fails from here on, it gives up at the end what it was given.
    const owner: Owner = { application, made: [] };
    owners.push(owner);
    await list.expect(`make the table ${table} to try rights on`, application.name, async () => {
      const client = await application.enter();
      const { login } = await application.issue(client, role);
      const session = await logIn(outputs.postgres, login, rootCertificateFile);
      owner.session = session;
      const named = (name: string) => session.client.escapeIdentifier(name);
      const tables = missing.map((schema) => `${named(schema)}.${named(table)}`);
      await inTransaction(session, () => make(session, tables));
      owner.made.push(...tables);
      await keepAsMade(session, tables);
      missing.forEach((schema) => schemas.set(schema, true));
      return `in ${missing.join(", ")}`;
    });
  }
  return { table, schemas, remove: () => removeAll(owners, list, table) };
}

/** Nobody else sees a table before it has its row, and so no code of another's runs for that. */
async function make({ client }: Session, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    await client.query(`CREATE TABLE ${table} (id integer, note pg_catalog.text)`);
    await client.query(`INSERT INTO ${table} (id, note) VALUES (1, 'one')`);
  }
}

async function inTransaction({ client }: Session, work: () => Promise<void>): Promise<void> {
  await client.query("BEGIN");
  try {
    await work();
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}

/**
 * Another owner could have a table of ours run code of its own, by a trigger or a policy, with the rights of whoever tries it.
 * So nobody changes it any more, until it is dropped, and it is looked at before others come to it.
 */
async function keepAsMade({ client }: Session, tables: readonly string[]): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query("SET LOCAL idle_in_transaction_session_timeout = 0");
    await client.query(`LOCK TABLE ${tables.join(", ")} IN SHARE UPDATE EXCLUSIVE MODE`);
    await requireAsMade(client, tables);
  } catch (error) {
    // What was made is dropped all the same.
    await client.query("ROLLBACK");
    throw error;
  }
}

async function requireAsMade(client: Client, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    const { rowCount } = await client.query(
      `SELECT FROM pg_catalog.pg_class AS c
       WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid
         AND c.relkind OPERATOR(pg_catalog.=) 'r' AND c.relnatts OPERATOR(pg_catalog.=) 2
         AND c.relchecks OPERATOR(pg_catalog.=) 0
         AND NOT (c.relhasrules OR c.relhastriggers OR c.relhassubclass OR c.relhasindex)
         AND NOT (c.relrowsecurity OR c.relforcerowsecurity)
         AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS a
           WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0
             AND (a.atthasdef OR NOT (a.atttypid OPERATOR(pg_catalog.=) 23 OR a.atttypid OPERATOR(pg_catalog.=) 25))
         )`,
      [table],
    );
    if (rowCount !== 1)
      throw new Failure(`somebody has changed ${table} while it was made; look who is at work`);
  }
}

function* ownersIn(
  outputs: EnvironmentOutputs,
  operator: VaultClient,
  list: CheckList,
): Generator<{ application: Application; role: RoleOutput }> {
  for (const [name, approle] of Object.entries(outputs.approles)) {
    for (const roleName of approle.roles) {
      const role = outputs.roles[roleName];
      if (role?.access !== "owner") continue;
      yield { application: new Application(operator, name, approle, list), role };
    }
  }
}

async function removeAll(owners: readonly Owner[], list: CheckList, table: string): Promise<void> {
  for (const { session, application, made } of owners) {
    if (session !== undefined && made.length > 0) {
      await list.expect(`drop the table ${table}`, application.name, async () => {
        if (session.isEnded()) throw new Failure(`the connection is gone; drop ${made.join(", ")} by hand`);
        for (const name of made) await session.client.query(`DROP TABLE ${name}`);
        await session.client.query("COMMIT");
        return `${made.length} dropped`;
      });
    }
    await session?.close();
    await tellLeft(list, application.name, await application.leave());
  }
}
