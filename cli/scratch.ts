import type { EnvironmentOutputs, RoleOutput } from "../stacks/outputs";
import { Application } from "./application";
import { Failure, type CheckList } from "./checks";
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
  readonly session: Session;
  readonly application: Application;
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
    await list.expect(`make the table ${table} to try rights on`, application.name, async () => {
      const client = await application.enter();
      const { login } = await application.issue(client, role);
      const session = await logIn(outputs.postgres, login, rootCertificateFile);
      const owner: Owner = { session, application, made: [] };
      owners.push(owner);
      for (const schema of missing) {
        const name = `${session.client.escapeIdentifier(schema)}.${session.client.escapeIdentifier(table)}`;
        await session.client.query(`CREATE TABLE ${name} (id integer, note pg_catalog.text)`);
        owner.made.push(name);
        await session.client.query(`INSERT INTO ${name} (id, note) VALUES (1, 'one')`);
        schemas.set(schema, true);
      }
      return `in ${missing.join(", ")}`;
    });
  }
  return { table, schemas, remove: () => removeAll(owners, list, table) };
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
    if (made.length > 0) {
      await list.expect(`drop the table ${table}`, application.name, async () => {
        if (session.isEnded()) throw new Failure(`the connection is gone; drop ${made.join(", ")} by hand`);
        for (const name of made) await session.client.query(`DROP TABLE ${name}`);
        return `${made.length} dropped`;
      });
    }
    await session.close();
    await application.leave();
  }
}
