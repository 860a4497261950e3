import * as fs from "node:fs";
import * as path from "node:path";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser } from "../e2e/credential";
import { FULL } from "../security/servers";
import { blocksOf, PROJECT, type Block } from "./blocks";
import { programs, project, run, scriptOf, withServersOf } from "./script";

jest.setTimeout(600_000);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  // rotate --end-sessions waits for as long as a client may take to log in.
  await asSuperuser(sandbox, "ALTER SYSTEM SET authentication_timeout = '2s'");
  await asSuperuser(sandbox, "SELECT pg_reload_conf()");
});
afterAll(() => sandbox?.stop());

/** The blocks of a document that are commands; without those that another test runs, as it says. */
const commands = (document: string, elsewhere: readonly RegExp[] = []) =>
  blocksOf(document).filter(
    ({ language, text }) => language === "sh" && !elsewhere.some((pattern) => pattern.test(text)),
  );

const sh = (text: string): Block => ({ language: "sh", text, line: 0, added: false });
const deployer = sh('export VAULT_TOKEN="$DEPLOYER" PGUSER=terraform PGPASSWORD="$TERRAFORM_PASSWORD"');
const operator = sh(
  'export VAULT_TOKEN="$OPERATOR" PGUSER=credentials_operator PGPASSWORD="$OPERATOR_PASSWORD"',
);
const issue = (role: string) =>
  `VAULT_TOKEN="$ROOT" vault read -field=lease_id orders-dev/database/creds/${role}`;

/** The environment of the documents on the sandbox's servers, with the static role that they speak of. */
const APP = `
import { App } from "cdktf";
import { CredentialsStack } from "cdktf-database-credentials/stacks";
import { dev } from "${path.join(PROJECT, "stacks/environments/dev")}";

const app = new App();
new CredentialsStack(app, {
  ...dev,
  databaseTemplate: "template1",
  staticRoles: { legacy: { role: "reader" } },
  applications: { ...dev.applications, reports: { ...dev.applications.reports, roles: ["reader", "legacy"] } },
  vault: { address: "https://vault.example.com:8200" },
  postgres: { host: "db.example.com" },
});
app.synth();
`;

/** A document's text, where it leaves values to the reader or asks for a word. */
function adapt(text: string): string {
  const own = text
    .replaceAll(/^export .*=….*$/gm, "")
    .replaceAll("npm run destroy -- dev", "npx vault-postgres destroy dev --auto-approve")
    .replaceAll(/vault-postgres destroy dev$/gm, "$& --auto-approve")
    .replaceAll(/cdktf deploy dev.*/g, "$& --auto-approve")
    .replaceAll(/(vault-postgres (?:revoke|drain) .*?)(?: --yes)?$/gm, "$1 --yes")
    .replaceAll("/run/orders", sandbox.directory);
  return withServersOf(sandbox, own);
}

test("the commands of README, operations and recovery do what the documents say", async () => {
  // The demo and all tests are run by the tests and by .ci/run; the composition is synthesized by the package's.
  const readme = commands("README.md", [/npm ci/, /examples\//]);
  const operations = commands("docs/operations.md");
  const at = (command: string) => operations.findIndex(({ text }) => text.includes(command));
  const [revoke, destroy, imported] = [at("revoke dev --lease"), at("destroy dev"), at("import dev")];
  const cwd = path.join(sandbox.directory, "project");
  fs.mkdirSync(cwd);
  project(cwd);
  fs.writeFileSync(path.join(cwd, "main.ts"), withServersOf(sandbox, APP));

  const deployment = readme.findIndex(({ text }) => text.includes("npm run destroy"));
  const recovered = [
    ...operations.slice(imported, imported + 1),
    sh("rm terraform.dev.tfstate*"),
    ...commands("docs/recovery.md"),
    ...operations.slice(destroy, destroy + 1).map((block) => ({ ...block, text: firstLine(block.text) })),
    sh("npx cdktf deploy dev"),
  ];
  if (!FULL)
    announce("docs/recovery.md, import and destroy of docs/operations.md are followed in the full set only.");
  const steps = [
    deployer,
    ...readme.slice(0, deployment),
    operator,
    sh(
      'ROLE_ID="$(VAULT_TOKEN="$DEPLOYER" vault read -field=role_id auth/orders-dev/approle/role/orders-dev-api/role-id)"',
    ),
    ...readme.slice(deployment + 1),
    ...operations.slice(0, revoke),
    sh(`LEASE_ID="$(${issue("reader")})"`),
    ...operations.slice(revoke, destroy).flatMap((block) =>
      // What stops the engine comes last; the next block ends what is left.
      FULL && block.text.includes("drain dev")
        ? [block, deployer, sh("npx cdktf deploy dev"), sh(`${issue("reader")} >/dev/null`), operator]
        : [block],
    ),
    deployer,
    ...(FULL ? recovered : []),
    ...readme.slice(deployment, deployment + 1),
    ...operations.slice(imported + 1),
  ];
  const log = await run(sandbox, scriptOf(steps, adapt), {
    cwd,
    programs: await programs(sandbox, "commands"),
    env: {
      ...sandbox.env,
      HOME: sandbox.directory,
      DEPLOYER: sandbox.deployer.vaultToken,
      TERRAFORM_PASSWORD: sandbox.deployer.postgresPassword,
      OPERATOR: sandbox.operator.vaultToken,
      OPERATOR_PASSWORD: sandbox.operator.postgresPassword,
      ROOT: sandbox.vault.rootToken,
    },
  });
  expect(log).toMatch(/lease_id\s+orders-dev\/database\/creds\/writer/);
  expect(log).toMatch(/\d+ checks: \d+ ok, 0 failed/);
  expect(fs.readFileSync(path.join(sandbox.directory, ".bashrc"), "utf8")).toContain("vault-postgres");
  expect(
    await asSuperuser(sandbox, "SELECT rolname FROM pg_roles WHERE rolname ~ '^(v-|orders_dev)'"),
  ).toEqual([]);
});

/** Of two forms of a command for the same. */
const firstLine = (text: string) => text.split("\n")[0] + "\n";
