import type { Check } from "../../cli/checks";
import { proveEnvironment } from "../../cli/proof";
import { assumingCreation } from "../../lib/statements";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import type { AppRoleSettings, EnvironmentOutputs } from "../../stacks/outputs";
import {
  drainedReaderRole,
  leftovers,
  makeDatabase,
  makeEnvironment,
  ownerRole,
  timeouts,
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

test("credentials that may have but one session at a time are proven with one", async () => {
  const one = { connectionLimit: 1 };
  const roles = {
    owner: {
      ...ownerRole,
      statements: { ...ownerRole.statements, creation: assumingCreation("proof_owner", undefined, one) },
    },
    reader: {
      ...drainedReaderRole,
      statements: {
        ...drainedReaderRole.statements,
        creation: assumingCreation("proof_reader", timeouts, one),
      },
    },
  };
  const checks = await prove(await makeEnvironment(sandbox, roles));
  expect(failed(checks)).toEqual([]);
  for (const [role, ended] of [
    ["owner", "its sessions are ended"],
    ["reader", "a running transaction may finish"],
  ] as const) {
    const subject = `${role} as ${role}`;
    expect(named(checks, subject, "may not enter other databases")?.result).toBe("ok");
    expect(named(checks, subject, "open sessions before the revocation")).toMatchObject({
      result: "ok",
      detail: "one in a transaction: it may have but one",
    });
    expect(named(checks, subject, ended)?.result).toBe("ok");
  }
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

test("an owner that has lost its rights on what it owns fails, and is told how to get them back", async () => {
  const outputs = await makeEnvironment(sandbox, { owner: ownerRole });
  const client = await sandbox.postgres.connect(outputs.postgres.database);
  const { base_role } = outputs.roles.owner!;
  await client.query(
    `CREATE TABLE app.lost (); ALTER TABLE app.lost OWNER TO ${base_role}; REVOKE ALL ON app.lost FROM ${base_role}`,
  );
  const checks = await prove(outputs);
  expect(failed(checks)).toMatchObject([
    {
      name: "may use what its base role owns",
      detail: expect.stringMatching(
        /may not read app\.lost.*GRANT ALL ON ALL TABLES IN SCHEMA "app" TO CURRENT_USER;/,
      ) as string,
    },
  ]);
  await client.query(`SET ROLE ${base_role}; GRANT ALL ON ALL TABLES IN SCHEMA "app" TO CURRENT_USER`);
  expect(failed(await prove(outputs))).toEqual([]);
  await client.query("DROP TABLE app.lost");
  await client.end();
});

test("a role whose credentials live otherwise than was declared fails", async () => {
  const outputs = await makeEnvironment(sandbox, { writer: writerRole });
  await sandbox.vault.client().write("sys/mounts/proof-test/database/tune", { max_lease_ttl: "30s" });
  try {
    const [first] = failed(await prove(outputs));
    expect(first?.detail).toMatch(/^its lease is 30 s long, and \d+ s were declared/);
  } finally {
    await sandbox.vault.client().write("sys/mounts/proof-test/database/tune", { max_lease_ttl: "768h" });
  }
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

describe("an AppRole that was declared to refuse something", () => {
  /** AppRoles that read the role of another, by what they are declared with. */
  async function withSettings(
    variants: Readonly<Record<string, AppRoleSettings>>,
  ): Promise<EnvironmentOutputs> {
    const roles = { writer: writerRole, reader: drainedReaderRole };
    const outputs = await makeEnvironment(sandbox, roles);
    const vault = sandbox.vault.client();
    const { writer } = outputs.approles;
    const approles: Record<string, EnvironmentOutputs["approles"][string]> = {};
    for (const [name, settings] of Object.entries(variants)) {
      const path = writer!.secret_id_path.replace("role/writer/secret-id", `role/${name}`);
      await vault.write(path, { token_policies: ["proof-writer"], token_ttl: 300, ...settings });
      const { data } = await vault.read(`${path}/role-id`);
      const role_id = String(data?.role_id);
      approles[name] = { ...writer!, role_id, secret_id_path: `${path}/secret-id`, settings };
    }
    return { ...outputs, approles };
  }
  const skipped = (checks: readonly Check[], subject: string) =>
    checks
      .filter((check) => check.result === "skipped" && check.subject.startsWith(subject))
      .map(({ name, detail }) => [name, detail]);
  const here = ["127.0.0.0/8"];
  const there = ["10.0.0.0/8", "192.0.2.1/32"];
  const NO_TABLE: unknown = ["rows of tables of app", expect.stringContaining("no table to try it on")];

  test("is proven as far as it lets us in, and the rest is skipped with the reason, or nothing left", async () => {
    const outputs = await withSettings({
      plain: {},
      bare: { bind_secret_id: false, token_bound_cidrs: here },
      logins: { secret_id_bound_cidrs: there },
      tokens: { token_bound_cidrs: there },
      lone: { token_no_default_policy: true },
      twice: { token_num_uses: 2 },
      thrice: { token_num_uses: 3 },
    });
    const before = await leftovers(sandbox);
    const checks = await prove(outputs);
    expect(failed(checks)).toEqual([]);
    expect(skipped(checks, "plain")).toEqual([NO_TABLE]);
    expect(skipped(checks, "thrice")).toEqual([NO_TABLE]);
    expect(skipped(checks, "bare")).toEqual([
      ["issue a wrapped SecretID", "its login needs none (bindSecretId is false)"],
      NO_TABLE,
    ]);
    const tokensLeft = [
      "give up what it was given",
      expect.stringMatching(/^the token .*revoke-self: 403 .* It ends by itself, in its time$/),
    ];
    const networks = "from 10.0.0.0/8 and 192.0.2.1/32 alone, where this machine does not seem to be";
    expect(skipped(checks, "logins")).toEqual([
      ["log in with the AppRole", expect.stringContaining(`logs in ${networks}: PUT auth/`)],
      ["may not read other roles", expect.stringContaining(`logs in ${networks}`)],
    ]);
    expect(skipped(checks, "tokens")).toEqual([
      ["issue a credential", expect.stringContaining(`uses its tokens ${networks}: GET proof-test/`)],
      ["may not read other roles", expect.stringContaining("for other networks")],
      tokensLeft,
    ]);
    expect(skipped(checks, "lone")).toEqual([
      NO_TABLE,
      ["renew the lease", "its tokens may not, as they lack the policy default (noDefaultPolicy)"],
      tokensLeft,
    ]);
    expect(skipped(checks, "twice")).toEqual([
      NO_TABLE,
      ["renew the lease", expect.stringContaining("good for 2 requests")],
    ]);
    for (const name of ["bare", "lone", "twice", "thrice"]) {
      expect(named(checks, `${name} as writer`, "its sessions are ended")?.result).toBe("ok");
      expect(named(checks, name, "may not read other roles")?.result).toBe("ok");
    }
    expect(await leftovers(sandbox)).toEqual(before);
  });

  test("and may read too much is found out all the same", async () => {
    const outputs = await withSettings({ bare: { bind_secret_id: false, token_bound_cidrs: here } });
    await sandbox.vault
      .client()
      .write("auth/proof-test/approle/role/bare", { token_policies: ["proof-writer", "proof-reader"] });
    expect(failed(await prove(outputs))).toMatchObject([
      { name: "may not read other roles", subject: "bare", detail: "it read the credentials of reader" },
    ]);
  });

  test("and is refused for another reason fails", async () => {
    const outputs = await withSettings({
      gone: { bind_secret_id: true, token_num_uses: 5 },
      held: { token_bound_cidrs: here },
      once: { token_bound_cidrs: here, token_num_uses: 1 },
    });
    await sandbox.vault.client().delete("sys/policies/acl/proof-writer");
    expect(failed(await prove(outputs))).toMatchObject([
      { name: "issue a credential", subject: "gone as writer" },
      { name: "issue a credential", subject: "held as writer" },
      { name: "issue a credential", subject: "once as writer" },
    ]);
  });

  test("and whose tokens live otherwise than was declared fails", async () => {
    const outputs = await withSettings({ short: { token_ttl: 300, token_type: "service" } });
    const mount = "sys/mounts/auth/proof-test/approle/tune";
    await sandbox.vault.client().write(mount, { max_lease_ttl: "120s" });
    try {
      const [first] = failed(await prove(outputs));
      expect(first?.detail).toMatch(
        /^its tokens live for 120 s, and 300 s were declared; .*TTL of the mount/,
      );
    } finally {
      await sandbox.vault.client().write(mount, { max_lease_ttl: "768h" });
    }
    await sandbox.vault.client().write("auth/proof-test/approle/role/short", { token_type: "batch" });
    expect(failed(await prove(outputs))[0]?.detail).toBe(
      "its tokens are of the type batch, and service was declared",
    );
  });

  test("and refuses by hand what it was not declared to refuse fails", async () => {
    const outputs = await withSettings({ open: {}, held: { secret_id_bound_cidrs: here } });
    for (const name of ["open", "held"]) {
      await sandbox.vault
        .client()
        .write(`auth/proof-test/approle/role/${name}`, { secret_id_bound_cidrs: there });
    }
    const names = ["log in with the AppRole", "may not read other roles"];
    expect(failed(await prove(outputs))).toMatchObject(
      [...names, ...names].map((name) => ({ name, detail: expect.stringContaining("CIDR") as unknown })),
    );
  });
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
