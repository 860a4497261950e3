import * as fs from "node:fs";
import type { Construct } from "constructs";
import { Duration } from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot, type Snapshot } from "../../sandbox/snapshot";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { FULL } from "../security/servers";
import { dev } from "../../stacks/environments/dev";
import { local } from "../../stacks/environments/local";
import type { Environment } from "../../stacks/environment";
import { announce } from "./announce";
import { asSuperuser, issue } from "./credential";
import { Workspace } from "./workspace";

jest.setTimeout(180_000);

let sandbox: Sandbox;
let before: Snapshot;
let environment: Environment;
const issued: string[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  before = await takeSnapshot(sandbox);
  environment = local(sandbox.env);
});
afterAll(() => sandbox?.stop());

const stackOf = (definition: Environment) => (scope: Construct) => new CredentialsStack(scope, definition);
const actions = (plan: { type: string; actions: readonly string[] }[]) =>
  plan.map((change) => `${change.type} ${change.actions.join("+")}`).sort();

/** What someone changes by hand, and what the next plan says of it. */
const MEDDLING: [string, string[], () => Promise<unknown>][] = [
  [
    "a policy",
    ["vault_policy update"],
    () =>
      sandbox.vault.client().write("sys/policies/acl/orders-local/database/creds/reader", {
        policy: 'path "orders-local/database/creds/*" { capabilities = ["read"] }',
      }),
  ],
  [
    "a role's TTL",
    ["vault_generic_endpoint update"],
    async () => {
      const roles = sandbox.vault.client();
      const { data } = await roles.read("orders-local/database/roles/reader");
      await roles.write("orders-local/database/roles/reader", { ...data, max_ttl: 604_800 });
    },
  ],
  [
    "a role's SQL",
    ["vault_generic_endpoint update"],
    async () => {
      const roles = sandbox.vault.client();
      const { data } = await roles.read("orders-local/database/roles/writer");
      await roles.write("orders-local/database/roles/writer", {
        ...data,
        revocation_statements: ["SELECT 1"],
      });
    },
  ],
  [
    "a grant on a schema",
    ["postgresql_grant update"],
    () => asSuperuser(sandbox, "GRANT CREATE ON SCHEMA app TO orders_local_reader", "orders_local"),
  ],
  [
    "a right of PUBLIC",
    ["postgresql_grant update"],
    () => asSuperuser(sandbox, "GRANT CONNECT ON DATABASE orders_local TO PUBLIC"),
  ],
  [
    "a base role's login",
    ["postgresql_role update"],
    () => asSuperuser(sandbox, "ALTER ROLE orders_local_owner LOGIN"),
  ],
  [
    "an AppRole's policies",
    ["vault_approle_auth_backend_role update"],
    () =>
      sandbox.vault.client().write("auth/orders-local/approle/role/orders-local-reports", {
        token_policies: ["orders-local/database/creds/owner"],
      }),
  ],
  [
    "a role that is gone",
    ["vault_database_secret_backend_role create", "vault_generic_endpoint create"],
    () => sandbox.vault.client().delete("orders-local/database/roles/owner"),
  ],
];

async function serially(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const step of steps) await step();
}

describe("an environment", () => {
  let workspace: Workspace;
  beforeAll(() => {
    workspace = new Workspace(sandbox, "environment", stackOf(environment));
  });

  const UNUSABLE = [
    ["is empty", ""],
    ["holds {{username}} or {{password}}", "a-{{username}}-b"],
    ["has the form of a hash", `md5${"0".repeat(32)}`],
    ["has the form of a hash", "SCRAM-SHA-256$4096:abc$d:e"],
  ] as const;
  test.each(FULL ? UNUSABLE : UNUSABLE.slice(0, 1))(
    "is not begun with a first password that %s",
    async (what, password) => {
      const words = what.replaceAll(/[{}]/g, "\\$&").replaceAll(" ", "[\\s│]+");
      await expect(workspace.apply({ TF_VAR_manager_password: password })).rejects.toThrow(
        new RegExp(`TF_VAR_manager_password[\\s│]+${words}`),
      );
      expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
    },
  );

  test("that was interrupted in the middle is completed by the next deploy", async () => {
    const running = await workspace.startApply();
    await logged(running.logFile, "postgresql_schema");
    await running.stop("SIGINT", 30_000);
    expect(await running.exited).not.toBe(0);
    expect((await workspace.plan()).length).toBeGreaterThan(0);

    await workspace.apply();
    expect(await workspace.plan()).toEqual([]);
    expect(addedSince(before, await takeSnapshot(sandbox))).toEqual(
      expect.arrayContaining(["database orders_local", "policy orders-local/database/creds/reader"]),
    );
  });

  if (!FULL)
    announce("What is changed by hand is put right at once here, and one by one in the full set only.");
  test.each(
    FULL
      ? MEDDLING
      : [
          [
            "all",
            MEDDLING.flatMap(([, changes]) => changes),
            () => serially(MEDDLING.map(([, , each]) => each)),
          ],
        ],
  )("shows %s that was changed by hand, and puts it right", async (_, changes, meddle) => {
    await meddle();
    expect(actions(await workspace.plan())).toEqual([...changes].sort());
    await workspace.apply();
    expect(await workspace.plan()).toEqual([]);
  });

  test("stays without changes while credentials are in use", async () => {
    for (const role of ["owner", "writer", "reader"]) {
      const credential = await issue(sandbox, `orders-local/database/creds/${role}`);
      issued.push(credential.password);
    }
    expect(await workspace.plan()).toEqual([]);
  });

  test("takes a changed TTL in place", async () => {
    const reader = environment.roles.reader;
    if (reader === undefined) throw new Error("no reader");
    const shorter = { ...reader, defaultTtl: Duration.minutes(5), maxTtl: Duration.minutes(50) };
    workspace.edit(stackOf({ ...environment, roles: { ...environment.roles, reader: shorter } }));
    expect(actions(await workspace.plan())).toEqual(["vault_generic_endpoint update"]);
    await workspace.apply();
    const { data } = await sandbox.vault.client().read("orders-local/database/roles/reader");
    expect(data).toMatchObject({ default_ttl: 300, max_ttl: 3000 });
  });

  test("needs its first password no more, also where the connection changes after a rotation", async () => {
    const deployer = sandbox.vault.client().withToken(sandbox.deployer.vaultToken);
    await deployer.write("orders-local/database/rotate-root/orders_local");
    workspace.edit(stackOf({ ...environment, additionalAllowedRoles: ["reporting-*"] }));
    await workspace.apply();
    issued.push((await issue(sandbox, "orders-local/database/creds/reader")).password);
  });

  test("stands beside another on the same servers, without a change to it", async () => {
    const other: Environment = { ...environment, name: "local-2", roles: dev.roles };
    const second = new Workspace(sandbox, "second", stackOf(other));
    await second.apply();
    expect(await workspace.plan()).toEqual([]);
    expect(await second.plan()).toEqual([]);
    await second.destroy();
    expect(await workspace.plan()).toEqual([]);
  });

  test("leaves no secret in what was synthesized, planned or kept as state, nor in Terraform's output", () => {
    const secrets = [...sandbox.lifetime.allSecrets(), ...issued];
    const files = workspace.files();
    expect(files.some((file) => file.endsWith(".tfstate"))).toBe(true);
    expect(files.some((file) => file.endsWith("cdk.tf.json"))).toBe(true);
    expect(files.some((file) => file.endsWith("plan"))).toBe(true);
    const leaks = files.filter((file) => {
      const content = fs.readFileSync(file, "latin1");
      return secrets.some((secret) => content.includes(secret));
    });
    expect(leaks).toEqual([]);
    expect(secrets.length).toBeGreaterThan(8);
  });

  test("is destroyed without a trace, once its leases are revoked", async () => {
    await sandbox.vault
      .client()
      .withToken(sandbox.deployer.vaultToken)
      .write("sys/leases/revoke-prefix/orders-local/database/creds", { sync: true });
    await workspace.destroy();
    expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
  });
});

/** Waits until a log holds a text. */
async function logged(file: string, text: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!fs.readFileSync(file, "utf8").includes(text)) {
    if (Date.now() > deadline) throw new Error(`${file} does not say ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
