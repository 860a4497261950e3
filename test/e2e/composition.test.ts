import { LocalBackend } from "cdktf";
import { ReportingStack } from "../../examples/composition/reporting-stack";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot } from "../../sandbox/snapshot";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { dev } from "../../stacks/environments/dev";
import { local } from "../../stacks/environments/local";
import type { Environment } from "../../stacks/environment";
import { announce } from "./announce";
import { connect, issue, revoke, verdict } from "./credential";
import { Workspace } from "./workspace";

jest.setTimeout(120_000);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
});
afterAll(() => sandbox?.stop());

test("a team's own stack adds to an environment, and takes only its own away", async () => {
  const here = local(sandbox.env);
  const { vault, postgres, databaseTemplate } = here;
  const environment: Environment = { ...dev, vault, postgres, databaseTemplate };
  const base = new Workspace(sandbox, "base", (scope) => new CredentialsStack(scope, environment));
  await base.apply();

  const owner = await issue(sandbox, "orders-dev/database/creds/owner");
  const migration = await connect(sandbox, owner, "orders_dev");
  await migration.query("CREATE TABLE app.invoices (id int); CREATE TABLE app.customers (id int)");
  await migration.end();
  await revoke(sandbox, owner);

  const before = await takeSnapshot(sandbox);
  const reporting = new Workspace(sandbox, "reporting", (scope) => {
    const stack = new ReportingStack(scope, "reporting", {
      vaultAddress: here.vault.address,
      postgresHost: here.postgres.host,
      postgresPort: here.postgres.port,
      postgresSslMode: here.postgres.sslMode,
    });
    new LocalBackend(stack, { path: "terraform.tfstate" });
    return stack;
  });
  await reporting.apply();
  expect(await reporting.plan()).toEqual([]);
  expect(await base.plan()).toEqual([]);

  const credential = await issue(sandbox, "orders-dev/database/creds/reporting-auditor");
  const auditor = await connect(sandbox, credential, "orders_dev");
  expect(await verdict(auditor, "SELECT * FROM app.invoices")).toBe("ok");
  expect(await verdict(auditor, "SELECT * FROM app.customers")).toBe("42501");
  await auditor.end();
  await revoke(sandbox, credential);

  await reporting.destroy();
  expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
  expect(await base.plan()).toEqual([]);
  await base.destroy();
});
