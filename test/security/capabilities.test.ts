import type { VaultClient } from "../../cli/vault-client";
import { Access } from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { CredentialsStack } from "../../stacks/credentials-stack";
import type { Environment } from "../../stacks/environment";
import { StateBackend } from "../../stacks/state-backend";
import { announce } from "../e2e/announce";
import { Workspace } from "../e2e/workspace";

jest.setTimeout(120_000);

// Each the beginning of the next one's name, which a pattern in a policy would take for its own.
const ENVIRONMENTS = ["dev", "dev-eu", "dev-eu-1"];
const ROLES = ["reader", "reader-2"];

/** Two applications, one of which may read what the name of the other's role begins with. */
function environment(sandbox: Sandbox, name: string): Environment {
  const { env } = sandbox;
  return {
    name,
    application: "shop",
    vault: { address: sandbox.vault.address },
    postgres: {
      host: env.PGHOST ?? "",
      port: Number(env.PGPORT),
      sslMode: "disable",
      username: env.PGUSER,
    },
    databaseTemplate: "template1",
    deletionProtection: false,
    roles: Object.fromEntries(ROLES.map((role) => [role, { access: Access.readOnly({ schemas: ["app"] }) }])),
    applications: { api: { roles: ["reader"] }, jobs: { roles: ["reader-2"] }, none: { roles: [] } },
    state: StateBackend.local(),
  };
}

let sandbox: Sandbox;
let paths: string[];
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  for (const name of ENVIRONMENTS) {
    const build = (scope: ConstructorParameters<typeof CredentialsStack>[0]) =>
      new CredentialsStack(scope, environment(sandbox, name));
    await new Workspace(sandbox, name, build).apply();
  }
  paths = await allPaths();
});
afterAll(() => sandbox?.stop());

/** Every path that the server's own description has, with the names that are there in place of its parameters. */
async function allPaths(): Promise<string[]> {
  // The description is no answer of the usual form, which the client takes alone.
  const { address, rootToken } = sandbox.vault;
  const answer = await fetch(`${address}/v1/sys/internal/specs/openapi`, {
    headers: { "X-Vault-Token": rootToken },
  });
  const { paths: described } = (await answer.json()) as { paths: Readonly<Record<string, unknown>> };
  const names = [
    ...ROLES,
    ...ENVIRONMENTS.flatMap((name) => [`shop_${name}`.replaceAll("-", "_"), `shop-${name}-api`]),
  ];
  return Object.keys(described).flatMap((template) => {
    const path = template.replace(/^\//, "");
    return path.includes("{") ? names.map((name) => path.replace(/\{[^}]*\}/g, name)) : [path];
  });
}

/** What a token may do, by path; without what it may do by the policy `default`. */
async function capabilities(
  token: VaultClient,
  beyond: Record<string, string> = {},
): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (let start = 0; start < paths.length; start += 500) {
    const { data } = await token.write("sys/capabilities-self", { paths: paths.slice(start, start + 500) });
    for (const [path, allowed] of Object.entries(data ?? {})) {
      if (!path.includes("/") || !Array.isArray(allowed)) continue;
      const text = [...(allowed as string[])].sort().join();
      if (text !== "deny" && beyond[path] !== text) result[path] = text;
    }
  }
  return result;
}

async function logIn(approle: string, mount: string): Promise<VaultClient> {
  const vault = sandbox.vault.client();
  const role = `auth/${mount}/approle/role/${approle}`;
  const { data: id } = await vault.read(`${role}/role-id`);
  const { data: secret } = await vault.write(`${role}/secret-id`);
  const login = { role_id: id?.role_id, secret_id: secret?.secret_id };
  const { auth } = await vault.withToken(undefined).write(`auth/${mount}/approle/login`, login);
  return vault.withToken(sandbox.lifetime.remember(auth?.client_token ?? ""));
}

async function byDefault(): Promise<Record<string, string>> {
  const { auth } = await sandbox.vault.client().write("auth/token/create", { policies: ["default"] });
  return capabilities(sandbox.vault.client().withToken(auth?.client_token));
}

test("an AppRole's token may read the credentials that were granted, and nothing else of all paths", async () => {
  for (const name of ENVIRONMENTS) {
    for (const role of ROLES) expect(paths).toContain(`shop-${name}/database/creds/${role}`);
    expect(paths).toContain(`auth/shop-${name}/approle/role/shop-${name}-api/secret-id`);
  }
  const usual = await byDefault();
  for (const name of ENVIRONMENTS) {
    const mount = `shop-${name}`;
    const of = async (app: string) => capabilities(await logIn(`${mount}-${app}`, mount), usual);
    expect(await of("api")).toEqual({ [`${mount}/database/creds/reader`]: "read" });
    expect(await of("jobs")).toEqual({ [`${mount}/database/creds/reader-2`]: "read" });
    expect(await of("none")).toEqual({});
  }
});

test("the policy default opens nothing of the engines", async () => {
  const opened = Object.keys(await byDefault());
  expect(opened).toContain("auth/token/lookup-self");
  expect(opened.filter((path) => path.startsWith("shop-") || path.startsWith("auth/shop-"))).toEqual([]);
});

test.each(ENVIRONMENTS)("the deployer's token may not read a credential of %s", async (name) => {
  const deployer = sandbox.vault.client().withToken(sandbox.deployer.vaultToken);
  await expect(deployer.read(`shop-${name}/database/creds/reader`)).rejects.toThrow(/403/);
  await expect(deployer.write(`auth/shop-${name}/approle/role/shop-${name}-api/secret-id`)).rejects.toThrow(
    /403/,
  );
});
