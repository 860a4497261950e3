import type { Check } from "../../cli/checks";
import { proveEnvironment } from "../../cli/proof";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import type { EnvironmentOutputs } from "../../stacks/outputs";
import {
  drainedReaderRole,
  leftovers,
  makeDatabase,
  makeEnvironment,
  ownerRole,
  writerRole,
} from "./proof-environment";

jest.setTimeout(180_000);

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ terraform: false });
  await makeDatabase(sandbox);
});
afterAll(() => sandbox.stop());

function prove(outputs: EnvironmentOutputs): Promise<readonly Check[]> {
  return proveEnvironment(outputs, { vaultToken: sandbox.verifier.vaultToken, revocationTimeoutMs: 2_000 });
}

const failed = (checks: readonly Check[]) => checks.filter((check) => check.result === "failed");
const named = (checks: readonly Check[], subject: string, name: string) =>
  checks.find((check) => check.subject === subject && check.name === name);

test("an environment that is as it says is proven, terminated or drained, and nothing is left", async () => {
  const roles = { owner: ownerRole, writer: writerRole, reader: drainedReaderRole };
  const checks = await prove(await makeEnvironment(sandbox, roles));
  expect(failed(checks)).toEqual([]);
  expect(checks.filter((check) => check.result === "skipped")).toEqual([]);
  expect(named(checks, "writer as writer", "its sessions are ended")?.result).toBe("ok");
  expect(named(checks, "reader as reader", "a running transaction may finish")?.result).toBe("ok");
  expect(await leftovers(sandbox)).toEqual([]);
});

test("no detail holds a secret", async () => {
  const checks = await prove(await makeEnvironment(sandbox, { owner: ownerRole }));
  const text = JSON.stringify(checks);
  expect(text).not.toContain(sandbox.verifier.vaultToken);
  expect(text).not.toMatch(/hv[sb]\.|(^|[^a-z])[sb]\.[A-Za-z0-9]{20}/);
});

test("without an owner, what needs a table is skipped and says so", async () => {
  const checks = await prove(await makeEnvironment(sandbox, { writer: writerRole }));
  expect(failed(checks)).toEqual([]);
  expect(named(checks, "writer as writer", "rows of tables of app")).toMatchObject({
    result: "skipped",
    detail: expect.stringContaining("no AppRole here has owner access to app") as unknown,
  });
});

test("a role that may do more than it says fails", async () => {
  const roles = { owner: ownerRole, liar: { ...writerRole, access: "read-only" } };
  const checks = await prove(await makeEnvironment(sandbox, roles));
  expect(failed(checks).map((check) => check.name)).toEqual([
    "may not insert into tables of app",
    "may not update tables of app",
    "may not delete from tables of app",
  ]);
  expect(await leftovers(sandbox)).toEqual([]);
});

test("a role that may do less than it says fails", async () => {
  const roles = { owner: ownerRole, weak: { ...drainedReaderRole, access: "read-write" } };
  const checks = await prove(await makeEnvironment(sandbox, roles));
  expect(failed(checks).map((check) => check.name)).toEqual([
    "may insert into tables of app",
    "may update tables of app",
    "may delete from tables of app",
  ]);
});

test("a role that the engine has otherwise than it was declared fails", async () => {
  const outputs = await makeEnvironment(sandbox, { writer: writerRole });
  await sandbox.vault.client().write(`${outputs.vault.mount}/roles/writer`, { max_ttl: 300 });
  expect(failed(await prove(outputs))).toMatchObject([
    {
      ...{ subject: "role writer", name: "the engine has it as declared" },
      detail: "its maximum TTL is 300 s, not 600 s",
    },
  ]);
});

test("a renewal that does not reach PostgreSQL fails", async () => {
  const forgetful = { ...writerRole, statements: { ...writerRole.statements, renewal: ["SELECT 1;"] } };
  const checks = await prove(await makeEnvironment(sandbox, { forgetful }));
  expect(failed(checks).map((check) => check.name)).toEqual(["renewal moves VALID UNTIL"]);
});

test("a revocation that lets sessions live fails where they are to be ended", async () => {
  const lenient = { ...drainedReaderRole, revocation: "terminate" as const };
  const checks = await prove(await makeEnvironment(sandbox, { lenient }));
  expect(failed(checks).map((check) => check.name)).toEqual(["its sessions are ended"]);
});

test("a revocation that leaves the role fails", async () => {
  const sticky = { ...writerRole, statements: { ...writerRole.statements, revocation: ["SELECT 1;"] } };
  const checks = await prove(await makeEnvironment(sandbox, { sticky }));
  expect(failed(checks).map((check) => check.name)).toEqual([
    "the role is gone from PostgreSQL",
    "a new login is refused",
    "its sessions are ended",
  ]);
});

test("an AppRole that reads another role's credentials fails", async () => {
  const roles = { owner: ownerRole, writer: writerRole };
  const checks = await prove(await makeEnvironment(sandbox, roles, { writer: "owner" }));
  expect(failed(checks)).toMatchObject([
    { name: "may not read other roles", subject: "writer", detail: "it read the credentials of owner" },
  ]);
});

test("a database that lets everybody in fails", async () => {
  const superuser = await sandbox.postgres.connect();
  await superuser.query("CREATE DATABASE open_house");
  const checks = await prove(await makeEnvironment(sandbox, { writer: writerRole }));
  await superuser.query("DROP DATABASE open_house");
  await superuser.end();
  expect(failed(checks)).toMatchObject([
    {
      name: "may not enter other databases",
      detail: expect.stringContaining("it entered open_house") as unknown,
    },
  ]);
});

test("a token that may not issue SecretIDs fails and says which rights it needs", async () => {
  const outputs = await makeEnvironment(sandbox, { writer: writerRole });
  const checks = await proveEnvironment(outputs, { vaultToken: sandbox.deployer.vaultToken });
  expect(failed(checks)[0]?.detail).toMatch(/403 .*docs\/rights\/verify-policy\.hcl/);
});

describe("where the owner cannot enter the database", () => {
  const vault = () => sandbox.vault.client();
  const nowhere = (outputs: EnvironmentOutputs): EnvironmentOutputs => ({
    ...outputs,
    postgres: { ...outputs.postgres, database: "nowhere" },
  });
  const counts = async ({ vault: { mount, approle_mount } }: EnvironmentOutputs) => ({
    leases: (
      await vault()
        .list(`sys/leases/lookup/${mount}/creds/owner`)
        .catch(() => [])
    ).length,
    secretIds: (await vault().list(`auth/${approle_mount}/role/owner/secret-id`)).length,
    tokens: (await vault().list("auth/token/accessors")).length,
    users: await leftovers(sandbox),
  });

  test("its credential, its tokens and its SecretIDs are given up", async () => {
    const outputs = await makeEnvironment(sandbox, { owner: ownerRole });
    const before = await counts(outputs);
    const checks = await prove(nowhere(outputs));
    expect(failed(checks).map(({ name }) => name)).toEqual([
      expect.stringMatching(/^make the table /),
      "log in to PostgreSQL",
    ]);
    expect(await counts(outputs)).toEqual(before);
  });

  test("what cannot be given up is named", async () => {
    const stuck = { ...ownerRole, statements: { ...ownerRole.statements, revocation: ["SELECT 1/0;"] } };
    const outputs = await makeEnvironment(sandbox, { owner: stuck });
    const { tokens, secretIds } = await counts(outputs);
    const checks = await prove(nowhere(outputs));
    const [lease] = await vault().list(`sys/leases/lookup/${outputs.vault.mount}/creds/owner`);
    const left = failed(checks).filter(({ name }) => name === "give up what it was given");
    expect(left.map(({ subject }) => subject)).toEqual(["owner", "owner"]);
    expect(left.map(({ detail }) => detail).join()).toContain(`creds/owner/${lease}: `);
    expect(await counts(outputs)).toMatchObject({ leases: 2, tokens, secretIds });
    const { revocation: revocation_statements } = ownerRole.statements;
    await vault().write(`${outputs.vault.mount}/roles/owner`, { revocation_statements });
    await vault().write(`sys/leases/revoke-prefix/${outputs.vault.mount}/creds/owner`, { sync: true });
    expect(await counts(outputs)).toMatchObject({ leases: 0 });
  });
});
