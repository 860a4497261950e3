import * as fs from "node:fs";
import * as path from "node:path";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser } from "../e2e/credential";
import { FULL } from "../security/servers";
import { blocksOf, PROJECT, type Block } from "./blocks";
import { programs, run, scriptOf, withServersOf } from "./script";

jest.setTimeout(300_000);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  // Who follows the document makes it.
  await asSuperuser(sandbox, "DROP OWNED BY terraform");
  await asSuperuser(sandbox, "DROP ROLE terraform");
  // A database that exists, with a table of its application's.
  await asSuperuser(sandbox, "CREATE ROLE orders_app LOGIN");
  await asSuperuser(sandbox, "CREATE DATABASE orders OWNER orders_app");
  await asSuperuser(sandbox, "SET ROLE orders_app; CREATE TABLE kept AS SELECT 1 AS n", "orders");
});
afterAll(() => sandbox?.stop());

/** The checkout that a user packs: what a commit holds of it, and the dependencies that `npm ci` brings. */
function checkout(folder: string): string {
  const copy = path.join(folder, "checkout");
  for (const name of [
    "lib",
    "cli",
    "stacks",
    "docs",
    "package.json",
    "tsconfig.json",
    "tsconfig.build.json",
  ]) {
    fs.cpSync(path.join(PROJECT, name), path.join(copy, name), { recursive: true });
  }
  fs.symlinkSync(path.join(PROJECT, "node_modules"), path.join(copy, "node_modules"));
  return copy;
}

/** The document's text for this machine. */
const adapt = (text: string) =>
  withServersOf(sandbox, text)
    .replace("npm ci\n", "")
    .replace(/npm install --save-dev .*/, FULL ? "$&" : link("cdktf-cli", "tsx", "typescript", "@types/node"))
    .replaceAll("npm install ", "npm install --prefer-offline --no-audit --no-fund ");

/** Takes packages from our own, instead of having them installed once more, which takes a minute. */
function link(...packages: readonly string[]): string {
  const from = path.join(PROJECT, "node_modules");
  return [
    `mkdir -p node_modules/@types node_modules/.bin`,
    ...packages.map((name) => `ln -sfn "${from}/${name}" node_modules/${name}`),
    `ln -sf "${from}/.bin/cdktf" node_modules/.bin/cdktf`,
  ].join("\n");
}

test("who follows the document arrives at credentials, for a new database and for one that exists", async () => {
  const cwd = checkout(sandbox.directory);
  const blocks = blocksOf("docs/getting-started.md");
  const destroyed = blocks.findIndex(({ text }) => text.includes("vault-postgres destroy"));
  const look: Block = { language: "sh", line: 0, text: LOOK, added: false };
  const script = scriptOf([...blocks.slice(0, destroyed), look, ...blocks.slice(destroyed)], adapt);
  fs.mkdirSync(path.join(sandbox.directory, "orders-credentials"));
  fs.writeFileSync(
    path.join(sandbox.directory, "orders-credentials", "password-file"),
    sandbox.lifetime.secret(),
  );
  const log = await run(sandbox, script.replace("mkdir orders-credentials &&", "true &&"), {
    cwd,
    programs: await programs(sandbox, "started"),
    env: {
      ...sandbox.env,
      ...{ PGUSER: undefined, PGHOST: undefined, PGPORT: undefined, TF_VAR_manager_password: undefined },
      PGPASSWORD: sandbox.postgres.superuserPassword,
      VAULT_TOKEN: sandbox.vault.rootToken,
      ROOT_TOKEN: sandbox.vault.rootToken,
    },
  });
  expect(log).toMatch(/lease_duration\s+15m/);
  // A table that was there, and one that the application made afterwards.
  expect(log).toMatch(/^1\|2$/m);
  expect(log).toMatch(/Destroy complete!|Destruction complete/);
  expect(await asSuperuser(sandbox, "SELECT n FROM kept", "orders")).toEqual([1]);
  expect(
    await asSuperuser(sandbox, "SELECT rolname FROM pg_roles WHERE rolname ~ '^(v-|orders_dev)'"),
  ).toEqual([]);
});

/** Reads as the last credential of the document. */
const LOOK = `
PGPASSWORD= as-superuser orders <<'END'
SET ROLE orders_app; CREATE TABLE later AS SELECT 2 AS m
END
export VAULT_TOKEN="$ROOT_TOKEN"
vault read -format=json orders-existing/database/creds/reader > credential.json
field() { node -p 'JSON.parse(require("node:fs").readFileSync("credential.json")).data[process.argv[1]]' "$1"; }
PGPASSWORD="$(field password)" psql --username="$(field username)" --command='SELECT n, m FROM kept, later' orders
vault lease revoke "$(node -p 'JSON.parse(require("node:fs").readFileSync("credential.json")).lease_id')"
rm credential.json
`;
