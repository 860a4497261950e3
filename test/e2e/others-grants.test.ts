import { Client } from "pg";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { local } from "../../stacks/environments/local";
import type { Environment } from "../../stacks/environment";
import { FULL } from "../security/servers";
import { announce } from "./announce";
import { asSuperuser, connect, issue, revoke, type Credential } from "./credential";
import { Workspace } from "./workspace";

jest.setTimeout(180_000);

const DATABASE = "orders_local";

const CREDS = "orders-local/database/creds";

let sandbox: Sandbox;
let workspace: Workspace;
let environment: Environment;
beforeAll(async () => {
  if (!FULL)
    announce("Roles with credentials in use, and memberships of logins, are tried in the full set only.");
  sandbox = await startSandbox({ onProgress: announce });
  environment = { ...local(sandbox.env), staticRoles: { legacy: { role: "reader" } } };
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

/** Each deploys several times. */
const inFull = FULL ? test : test.skip;

/** Before PostgreSQL 16 a membership is one, whoever granted it, and keeps nobody from being dropped. */
function since16(name: string, run: () => Promise<void>, where: jest.It = test): void {
  where(name, async () => {
    if (parseInt(sandbox.postgres.version) < 16) return announce(`"${name}" is of PostgreSQL 16 and later.`);
    await run();
  });
}

since16("what others grant as well leaves the plan empty, and credentials as they are", async () => {
  const manager = "orders_local_manager";
  await asSuperuser(sandbox, `GRANT orders_local_reader TO ${manager}`);
  await asSuperuser(sandbox, `GRANT orders_local_legacy TO ${manager}`);
  await asSuperuser(sandbox, "GRANT orders_local_reader TO orders_local_legacy");
  // A right that is handed on has a grantor of its own.
  const handedOn = `CONNECT ON DATABASE ${DATABASE}`;
  await asSuperuser(sandbox, `GRANT ${handedOn} TO orders_local_reader WITH GRANT OPTION`);
  await asSuperuser(
    sandbox,
    `SET ROLE orders_local_reader; GRANT ${handedOn} TO orders_local_writer, ${manager}`,
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
  const credential = await issue(sandbox, `${CREDS}/reader`);
  expect(await workspace.plan()).toEqual([]);
  await workspace.apply();
  expect(await workspace.plan()).toEqual([]);
  await connect(sandbox, credential, DATABASE).then((client) => client.end());
  await revoke(sandbox, credential);
  await asSuperuser(sandbox, `REVOKE GRANT OPTION FOR ${handedOn} FROM orders_local_reader CASCADE`);
});

since16(
  "a membership in another role that others gave a login is shown until they revoke it",
  async () => {
    const shown = [{ type: "postgresql_role", actions: ["update"] }];
    await asSuperuser(sandbox, "GRANT orders_local_writer TO orders_local_legacy");
    expect(await workspace.plan()).toEqual(shown);
    // Terraform's login revokes what it granted itself, which is nothing.
    await workspace.apply();
    expect(await workspace.plan()).toEqual(shown);
    await asSuperuser(sandbox, "REVOKE orders_local_writer FROM orders_local_legacy");
    expect(await workspace.plan()).toEqual([]);
  },
  inFull,
);

describe("a role with credentials in use", () => {
  /** The environment with some of its roles, and what the application `api` reads. */
  const deployedWith = (roles: readonly string[], read: string) => {
    const { writer, ...others } = environment.roles;
    const named = Object.fromEntries(roles.map((name) => [name, writer!]));
    const api = { ...environment.applications.api, roles: [read] };
    const changed: Environment = {
      ...environment,
      roles: { ...others, ...named },
      applications: { ...environment.applications, api },
    };
    workspace.edit((scope) => new CredentialsStack(scope, changed));
    return workspace.apply();
  };
  const renew = ({ leaseId }: Credential) =>
    sandbox.vault.client().write("sys/leases/renew", { lease_id: leaseId });

  since16(
    "cannot be taken away, and is whole again when it is put back",
    async () => {
      const credential = await issue(sandbox, `${CREDS}/writer`);
      const session = await connect(sandbox, credential, DATABASE);
      await expect(deployedWith(["editor"], "editor")).rejects.toThrow(/dependent privileges exist/);
      expect((await session.query("SELECT 1")).rowCount).toBe(1);
      await expect(renew(credential)).rejects.toThrow();

      await deployedWith(["writer"], "writer");
      expect(await workspace.plan()).toEqual([]);
      await renew(credential);
      await issue(sandbox, `${CREDS}/writer`).then((other) => revoke(sandbox, other));
      await session.end();
      await revoke(sandbox, credential);
    },
    inFull,
  );

  since16(
    "is renamed in two deployments, between which its credentials end",
    async () => {
      const credential = await issue(sandbox, `${CREDS}/writer`);
      await deployedWith(["writer", "editor"], "editor");
      await renew(credential);
      await sandbox.vault.client().write(`sys/leases/revoke-prefix/${CREDS}/writer`, { sync: true });
      await deployedWith(["editor"], "editor");
      expect(await workspace.plan()).toEqual([]);
      await issue(sandbox, `${CREDS}/editor`).then((other) => revoke(sandbox, other));
      expect(
        await asSuperuser(sandbox, "SELECT 1 FROM pg_roles WHERE rolname = 'orders_local_writer'"),
      ).toEqual([]);
    },
    inFull,
  );
});

test("what others granted keeps nothing from being destroyed", async () => {
  await workspace.destroy();
  expect(
    await asSuperuser(sandbox, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'orders_local%'"),
  ).toEqual([]);
});
