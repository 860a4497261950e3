import * as fs from "node:fs";
import * as path from "node:path";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser } from "../e2e/credential";
import { blocksOf, type Block } from "./blocks";
import { programs, project, run, scriptOf, withServersOf } from "./script";

jest.setTimeout(300_000);

const blocks = blocksOf("docs/migrating.md");
const hcl = blocks.findIndex(({ language }) => language === "hcl");

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  await asSuperuser(sandbox, "CREATE ROLE orders_app LOGIN PASSWORD 'first'");
  await asSuperuser(sandbox, "CREATE DATABASE orders OWNER orders_app");
  await asSuperuser(sandbox, "SET ROLE orders_app; CREATE TABLE kept AS SELECT 1 AS n", "orders");
});
afterAll(() => sandbox?.stop());

const sh = (text: string): Block => ({ language: "sh", text, line: 0, added: false });

/** Runs a part of the document, and what is said here in between, in a project of its own; returns what it printed. */
async function follow(name: string, part: readonly Block[]): Promise<string> {
  const cwd = path.join(sandbox.directory, name);
  fs.mkdirSync(cwd);
  project(cwd);
  return run(
    sandbox,
    scriptOf(part, (text) => withServersOf(sandbox, text)),
    {
      cwd,
      programs: await programs(sandbox, name),
      env: {
        ...sandbox.env,
        PGUSER: undefined,
        DEPLOYER: sandbox.deployer.vaultToken,
        ROOT: sandbox.vault.rootToken,
      },
    },
  );
}

test("an application with a static password comes to short-lived users, and keeps its tables", async () => {
  const steps = blocks.slice(0, hcl).map((block) => ({
    ...block,
    // Whoever deploys may not read credentials; the document leaves open who does.
    text: block.text.replaceAll(/^vault read .*$/gm, "VAULT_TOKEN=$ROOT $&"),
  }));
  const closed = steps.length - 1;
  const log = await follow("orders", [
    ...steps.slice(0, closed),
    sh(`
      VAULT_TOKEN=$ROOT vault read -format=json orders/database/creds/api > credential.json
      field() { node -p 'JSON.parse(require("node:fs").readFileSync("credential.json")).data[process.argv[1]]' "$1"; }
      as() { PGPASSWORD="$(field password)" psql --username="$(field username)" --command="$1" orders; }
      as 'CREATE TABLE made AS SELECT n + 1 AS m FROM kept'
      as 'SELECT n, m FROM kept, made'
      rm credential.json`),
    ...steps.slice(closed),
  ]);
  expect(log).toMatch(/^orders_app/m);
  expect(log).toMatch(/^v-\S+-api-/m);
  expect(log).toMatch(/^1\|2$/m);
  expect(
    await asSuperuser(sandbox, "SELECT tableowner FROM pg_tables WHERE tablename = 'made'", "orders"),
  ).toEqual(["orders_app"]);
});

test("what HCL has made moves into the state of constructs, and nothing is replaced", async () => {
  const deploy = blocks.findIndex(({ text }) => text.includes("cdktf deploy shop"));
  const log = await follow("shop", [
    ...blocks.slice(hcl, hcl + 1),
    sh("TF_VAR_password=$TF_VAR_manager_password; export TF_VAR_password"),
    sh("terraform -chdir=old init >/dev/null && terraform -chdir=old apply -auto-approve >/dev/null"),
    ...blocks.slice(hcl + 1, deploy),
    sh("echo; echo === deploy"),
    ...blocks.slice(deploy),
    sh("echo; echo === again; npx cdktf diff shop --skip-provider-lock"),
    sh("terraform -chdir=old plan -destroy"),
  ]);
  expect(log).toMatch(/Plan: \d+ to add, \d+ to change, 0 to destroy/);
  expect(log).not.toMatch(/must be replaced/);
  expect(log.slice(log.indexOf("=== again"))).toMatch(/No changes\./);
  expect(log).toMatch(/Successfully removed 7 resource instance/);
});
