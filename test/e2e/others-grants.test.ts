import { Client } from "pg";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { local } from "../../stacks/environments/local";
import { announce } from "./announce";
import { asSuperuser, connect, issue, revoke } from "./credential";
import { Workspace } from "./workspace";

jest.setTimeout(180_000);

const DATABASE = "orders_local";

let sandbox: Sandbox;
let workspace: Workspace;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  const environment = { ...local(sandbox.env), staticRoles: { legacy: { role: "reader" } } };
  workspace = new Workspace(sandbox, "base", (scope) => new CredentialsStack(scope, environment));
  await workspace.apply();
});
afterAll(() => sandbox?.stop());

/** Runs SQL as the login that deploys. */
async function asDeployer(...statements: string[]): Promise<void> {
  const { host, port } = sandbox.postgres;
  const { postgresUser: user, postgresPassword: password } = sandbox.deployer;
  const client = new Client({ host, port, user, password, database: DATABASE });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

const grants = (member: string) =>
  asSuperuser(
    sandbox,
    `SELECT roleid::regrole || ' ' || admin_option FROM pg_auth_members WHERE member = '${member}'::regrole`,
  );

test("what others grant as well leaves the plan empty, and credentials as they are", async () => {
  const manager = "orders_local_manager";
  await asSuperuser(sandbox, `GRANT orders_local_reader TO ${manager}`);
  await asSuperuser(sandbox, `GRANT orders_local_legacy TO ${manager}`);
  await asSuperuser(sandbox, "GRANT orders_local_reader TO orders_local_legacy");
  await asSuperuser(sandbox, `GRANT CONNECT ON DATABASE ${DATABASE} TO orders_local_reader WITH GRANT OPTION`);
  await asSuperuser(
    sandbox,
    `SET ROLE orders_local_reader; GRANT CONNECT ON DATABASE ${DATABASE} TO orders_local_writer, ${manager}`,
    DATABASE,
  );
  // Rows that change go to the end of the table, so that the superuser's are read first.
  for (const role of ["orders_local_reader", "orders_local_legacy"]) {
    await asDeployer(
      `GRANT ${role} TO ${manager} WITH INHERIT FALSE`,
      `GRANT ${role} TO ${manager} WITH INHERIT TRUE`,
    );
  }
  expect(await grants(manager)).toEqual(
    expect.arrayContaining(["orders_local_reader false", "orders_local_reader true"]),
  );
  const credential = await issue(sandbox, "orders-local/database/creds/reader");
  expect(await workspace.plan()).toEqual([]);
  await workspace.apply();
  expect(await workspace.plan()).toEqual([]);
  await connect(sandbox, credential, DATABASE).then((client) => client.end());
  await revoke(sandbox, credential);
});
