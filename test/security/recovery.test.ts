import * as fs from "node:fs";
import * as path from "node:path";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot, type Snapshot } from "../../sandbox/snapshot";
import { Deployment } from "../../sandbox/deployment";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, issue, revoke, type Credential } from "../e2e/credential";
import { FaultTable, testInFull } from "./fault-table";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { recoverable } from "./recovery-app";
import { RecoveryWorkspace } from "./recovery-workspace";
import { FULL } from "./servers";

jest.setTimeout(600_000);

const ENGINE = "orders-local/database";
const DATABASE = "orders_local";
const MANAGER = "orders_local_manager";
const credsPath = (role: string) => `${ENGINE}/creds/${role}`;
const { fault, isDocumented } = faultTable();

function faultTable() {
  const table = new FaultTable("recovery");
  return { fault: table.fault.bind(table), isDocumented: table.isDocumented.bind(table) };
}

let sandbox: Sandbox;
let workspace: RecoveryWorkspace;
let before: Snapshot;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  before = await takeSnapshot(sandbox);
  workspace = new RecoveryWorkspace(sandbox, "recovery");
});
afterAll(() => sandbox?.stop());

/** What Terraform's log says when it is killed; a first word of a resource that is being made. */
const FAST_MOMENTS = [
  /vault_database_secret_backend_connection\S+ Creating/,
  /postgresql_role\S+ Creation complete/,
];
const MOMENTS = FULL
  ? [
      ...FAST_MOMENTS,
      /postgresql_database\S+ Creating/,
      /postgresql_grant\S+ Creating/,
      /vault_mount\S+ Creating/,
      /vault_auth_backend\S+ Creation complete/,
      /vault_database_secret_backend_role\S+ Creation complete/,
      /vault_approle_auth_backend_role\S+ Creating/,
    ]
  : FAST_MOMENTS;

/** Deploys, and kills Terraform and its plugins once it says so. */
async function applyKilledAt(moment: RegExp): Promise<void> {
  const running = await workspace.startApply();
  while (running.isRunning() && !moment.test(fs.readFileSync(running.logFile, "utf8"))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await running.stop("SIGKILL", 10_000);
  expect(await running.exited).toBe(128);
}

async function expectDeployedOnce(): Promise<void> {
  expect(await workspace.plan()).toEqual([]);
  const credential = await issue(sandbox, credsPath("reader"));
  await connect(sandbox, credential, DATABASE).then((client) => client.end());
  await revoke(sandbox, credential);
  expect(await usersLeft()).toEqual([]);
}

const usersLeft = () => asSuperuser(sandbox, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'");
const verifierOf = (role: string) =>
  asSuperuser(sandbox, `SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);

describe("a deployment that is killed", () => {
  fault(
    "a deployment gets SIGKILL, plugins and all",
    "the next one completes it, with nothing doubled; or it ends with `already exists` for what was being made, and after an import completes it",
    "deploy again; where it says so, [import](../recovery.md) and deploy",
    async () => {
      let expected: string[] | undefined;
      for (const moment of MOMENTS) {
        announce(`killed at ${moment.source}`);
        await applyKilledAt(moment);
        await workspace.converge();
        await expectDeployedOnce();
        const added = addedSince(before, await takeSnapshot(sandbox));
        expected ??= added;
        expect(added).toEqual(expected);
        await workspace.destroy();
        expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
      }
    },
    testInFull,
  );

  fault(
    "Terraform made something and was killed before it wrote that down",
    "the next deployment ends with `already exists` or `path is already in use`, and changes nothing of it; an import brings it back",
    "[import](../recovery.md) and deploy",
    async () => {
      await workspace.apply();
      const lost = [
        workspace.forget("postgresql_role", /Database_writer/),
        workspace.forget("vault_mount", /Secrets/),
      ];
      const running = await workspace.startApply();
      expect(await running.exited).not.toBe(0);
      const log = fs.readFileSync(running.logFile, "utf8");
      expect(log).toMatch(/role "orders_local_writer" already exists|orders_local_writer.* already exists/);
      expect(log).toMatch(/path is already in use at orders-local\/database/);
      const said = await workspace.command("npx vault-postgres import dev --json");
      const { imported } = JSON.parse(said.slice(said.indexOf("\n{"))) as { imported: string[] };
      expect(imported.sort()).toEqual(lost.sort());
      await workspace.apply();
      await expectDeployedOnce();
    },
  );
});

describe("a state that is lost", () => {
  fault(
    "the state file is lost",
    "an import takes in what stands; the plan destroys and replaces nothing; data, sessions, credentials, rotated passwords stay",
    "[import](../recovery.md) and deploy",
    async () => {
      await workspace.apply();
      const vault = sandbox.vault.client();
      await vault.write(`${ENGINE}/rotate-root/${DATABASE}`);
      const owner = await issue(sandbox, credsPath("owner"));
      const making = await connect(sandbox, owner, DATABASE);
      await making.query("CREATE TABLE app.kept (id int)");
      await making.query("INSERT INTO app.kept SELECT generate_series(1, 10)");
      await making.end();
      const reader = await issue(sandbox, credsPath("reader"));
      const session = await connect(sandbox, reader, DATABASE);
      const engineOwn = await verifierOf(MANAGER);
      const staticOwn = (await vault.read(`${ENGINE}/static-creds/legacy`)).data;

      workspace.loseState();
      expect((await workspace.plan()).length).toBeGreaterThan(30);
      const { commands, variables } = documentedRecovery();
      for (const command of commands.slice(0, 2)) await workspace.command(command, variables);
      const planned = await workspace.plan();
      expect(planned.filter(({ actions }) => actions.includes("delete"))).toEqual([]);
      expect([...new Set(planned.filter(isNew).map(({ type }) => type))].sort()).toEqual([
        "postgresql_default_privileges",
        "postgresql_grant",
        "terraform_data",
        "vault_generic_endpoint",
      ]);
      for (const command of commands.slice(2)) await workspace.command(command, variables);
      expect(await workspace.plan()).toEqual([]);

      expect(await verifierOf(MANAGER)).toEqual(engineOwn);
      expect((await vault.read(`${ENGINE}/static-creds/legacy`)).data?.password).toBe(staticOwn?.password);
      expect((await session.query("SELECT count(*)::int AS n FROM app.kept")).rows).toEqual([{ n: 10 }]);
      await session.end();
      await vault.write("sys/leases/renew", { lease_id: reader.leaseId });
      for (const each of [owner, reader]) await revoke(sandbox, each);
      await expectDeployedOnce();
    },
  );

  testInFull("is not written to by a dry run, which prints the commands", async () => {
    const address = workspace.forget("postgresql_database", /Database/);
    const said = await workspace.command("npx vault-postgres import dev --dry-run");
    expect(said).toContain(`terraform import '${address}' 'orders_local'`);
    expect((await workspace.plan()).filter(isNew).map(({ type }) => type)).toEqual(["postgresql_database"]);
    await workspace.command("npx vault-postgres import dev");
    expect(await workspace.plan()).toEqual([]);
  });

  test("of another application is refused as a whole by a plan, a deployment, a destroy and an import", async () => {
    const there = await takeSnapshot(sandbox);
    const renamed = { RECOVERY_APPLICATION: "billing" };
    const other = /belongs\s+to\s+orders\/local,\s+and\s+this\s+is\s+billing\/local/;
    workspace.edit((scope) => new CredentialsStack(scope, recoverable({ ...sandbox.env, ...renamed })));
    await expect(workspace.plan()).rejects.toThrow(other);
    const destroying = "npx vault-postgres destroy dev --auto-approve";
    if (FULL) {
      await expect(workspace.command("npx cdktf diff dev", renamed)).rejects.toThrow(other);
      await expect(workspace.command("npx cdktf deploy dev", renamed)).rejects.toThrow(/exit code 1/);
      for (const line of [destroying, "npx vault-postgres import dev"]) {
        await expect(workspace.command(line, renamed)).rejects.toThrow(other);
      }
    }
    // As it was written by versions that knew no owner.
    workspace.forget("terraform_data", /^StateOwner_[0-9A-F]{8}$/);
    await expect(workspace.plan()).rejects.toThrow(/has\s+the\s+secrets\s+engine\s+orders-local\/database/);
    await expect(workspace.command(destroying, renamed)).rejects.toThrow(
      /belongs to orders-local\/database, and this is billing-local\/database/,
    );
    expect(addedSince(there, await takeSnapshot(sandbox))).toEqual([]);

    workspace.edit((scope) => new CredentialsStack(scope, recoverable(sandbox.env)));
    expect(await workspace.plan()).toEqual([{ type: "terraform_data", actions: ["create"] }]);
    await workspace.apply();
  });

  test("is imported only where what stands is what the code says", async () => {
    const restore = workspace.loseState();
    const change = async (...statements: string[]) => {
      for (const statement of statements) await asSuperuser(sandbox, statement, DATABASE);
    };
    const vault = sandbox.vault.client();
    const tuned = (description: string) => vault.write(`sys/mounts/${ENGINE}/tune`, { description });
    const description = (await vault.read(`sys/mounts/${ENGINE}`)).data?.description as string;
    await change(
      "ALTER ROLE orders_local_reader LOGIN CREATEDB",
      "CREATE TABLE app.production (id int)",
      "ALTER TABLE app.production OWNER TO orders_local_writer",
      "REVOKE orders_local_reader FROM orders_local_legacy GRANTED BY terraform",
      "GRANT pg_monitor TO orders_local_legacy",
      "ALTER ROLE orders_local_manager NOCREATEROLE",
      "CREATE ROLE other",
      `ALTER DATABASE ${DATABASE} OWNER TO other`,
      "ALTER SCHEMA app OWNER TO other",
    );
    await tuned("PostgreSQL credentials of orders-local (eu)");
    for (const option of FULL ? ["", " --dry-run"] : [""]) {
      const refused = await workspace
        .command(`npx vault-postgres import dev${option}`)
        .catch((error: Error) => error.message);
      for (const problem of [
        /exit code 2/,
        /"orders_local_reader" may log in \(LOGIN\) \(postgresql_role/,
        /"orders_local_reader" may create databases/,
        /"orders_local_writer" owns tables or the like in the database orders_local/,
        /"orders_local_legacy" is no member of orders_local_reader/,
        /"orders_local_legacy" is a member of pg_monitor/,
        /"orders_local_manager" may not create roles/,
        /"orders_local" belongs to other, not to terraform \(postgresql_database/,
        /"app" is in the database orders_local, which Terraform's login may not enter \(postgresql_schema/,
        /"orders-local\/database" has the environment "orders-local \(eu\)", not "orders \(local\)"/,
        /give what the code declares another name/,
      ]) {
        expect(refused).toMatch(problem);
      }
    }
    await change(
      "ALTER ROLE orders_local_reader NOLOGIN NOCREATEDB",
      "DROP TABLE app.production",
      "REVOKE pg_monitor FROM orders_local_legacy",
      "SET ROLE terraform; GRANT orders_local_reader TO orders_local_legacy",
      "ALTER ROLE orders_local_manager CREATEROLE",
      `ALTER DATABASE ${DATABASE} OWNER TO terraform`,
      "ALTER SCHEMA app OWNER TO terraform",
      "DROP ROLE other",
    );
    await tuned(description);
    expect(fs.existsSync(path.join(workspace.directory, "terraform.local.tfstate"))).toBe(false);
    restore();
    await expectDeployedOnce();
  });

  test("leaves no secret in what is printed and written", async () => {
    await workspace.destroy();
    expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
    for (const file of workspace.files()) {
      const text = fs.readFileSync(file, "utf8");
      const found = sandbox.lifetime.allSecrets().filter((secret) => text.includes(secret));
      expect({ file: path.basename(file), found: found.length }).toEqual({
        file: path.basename(file),
        found: 0,
      });
    }
  });
});

describe("a destroy", () => {
  const LEASES = FULL ? 300 : 60;
  fault(
    "an environment is destroyed while hundreds of credentials are in use",
    "all are revoked, their sessions and those of the engine ended; nothing is left on either server",
    "`vault-postgres destroy`, which does it; not `cdktf destroy` alone",
    async () => {
      const deployment = new Deployment(sandbox, "local");
      await deployment.deploy();
      // After a start OpenBao opens sessions of its own that it does not close with the connection.
      await sandbox.vault.stop();
      await sandbox.vault.start();
      const credentials = await issueMany(LEASES);
      expect((await usersLeft()).length).toBe(LEASES);
      const sessions = await Promise.all(
        credentials.slice(0, 20).map((credential) => connect(sandbox, credential, DATABASE)),
      );
      const start = Date.now();
      await deployment.takeDown();
      announce(`${LEASES} leases and ${sessions.length} sessions: destroyed in ${Date.now() - start} ms`);
      for (const session of sessions) await expect(session.query("SELECT 1")).rejects.toThrow();
      expect(await usersLeft()).toEqual([]);
      expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
    },
  );
});

isDocumented();

const isNew = ({ actions }: { readonly actions: readonly string[] }) => actions.join() === "create";

async function issueMany(count: number): Promise<Credential[]> {
  const issued: Credential[] = [];
  let left = count;
  const clients = Array.from({ length: 8 }, async () => {
    while (left-- > 0) issued.push(await issue(sandbox, credsPath(left % 2 ? "reader" : "writer")));
  });
  await Promise.all(clients);
  return issued;
}

/** What docs/recovery.md says to do, in its first block: commands, and variables that it sets. */
function documentedRecovery(): { commands: string[]; variables: NodeJS.ProcessEnv } {
  const text = fs.readFileSync(path.resolve(__dirname, "../../docs/recovery.md"), "utf8");
  const [, block = ""] = /```sh\n([^]*?)```/.exec(text) ?? [];
  const commands = block.split("\n").filter((line) => line.startsWith("npx "));
  const [, name = "", value] = /^export (TF_VAR_\w+)=(\S+)/m.exec(block) ?? [];
  expect(commands.map((line) => line.split(" ").slice(1, 3).join(" "))).toEqual([
    "vault-postgres import",
    "cdktf diff",
    "cdktf deploy",
  ]);
  return { commands, variables: { [name]: value } };
}
