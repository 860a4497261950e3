import * as fs from "node:fs";
import { VaultClient } from "../../cli/vault-client";
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
/** Parameters that an engine's path for a connection names itself; a plugin takes others besides. */
let ofConnection: string[];
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

interface Description {
  readonly paths: Readonly<Record<string, { readonly post?: { readonly requestBody?: RequestBody } }>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly properties?: Readonly<Record<string, unknown>> }>>;
  };
}
interface RequestBody {
  readonly content?: Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>>;
}

/** Every path that the server's own description has, with the names that are there in place of its parameters. */
async function allPaths(): Promise<string[]> {
  // The description is no answer of the usual form, which the client takes alone.
  const { address, rootToken } = sandbox.vault;
  const answer = await fetch(`${address}/v1/sys/internal/specs/openapi`, {
    headers: { "X-Vault-Token": rootToken },
  });
  const { paths: described, components } = (await answer.json()) as Description;
  const { requestBody } = described["/shop-dev/database/config/{name}"]?.post ?? {};
  const reference = requestBody?.content?.["application/json"]?.schema?.$ref?.split("/").pop() ?? "";
  ofConnection = Object.keys(components.schemas[reference]?.properties ?? {});
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
  token: string,
  beyond: Record<string, string> = {},
): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (let start = 0; start < paths.length; start += 500) {
    const asked = { token, paths: paths.slice(start, start + 500) };
    const { data } = await sandbox.vault.client().write("sys/capabilities", asked);
    for (const [path, allowed] of Object.entries(data ?? {})) {
      if (!path.includes("/") || !Array.isArray(allowed)) continue;
      const text = [...(allowed as string[])].sort().join();
      if (text !== "deny" && beyond[path] !== text) result[path] = text;
    }
  }
  return result;
}

async function logIn(approle: string, mount: string): Promise<string> {
  const vault = sandbox.vault.client();
  const role = `auth/${mount}/approle/role/${approle}`;
  const { data: id } = await vault.read(`${role}/role-id`);
  const { data: secret } = await vault.write(`${role}/secret-id`);
  const login = { role_id: id?.role_id, secret_id: secret?.secret_id };
  const { auth } = await vault.withToken(undefined).write(`auth/${mount}/approle/login`, login);
  return sandbox.lifetime.remember(auth?.client_token ?? "");
}

async function byDefault(): Promise<Record<string, string>> {
  const { auth } = await sandbox.vault.client().write("auth/token/create", { policies: ["default"] });
  return capabilities(auth?.client_token ?? "");
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

describe("who runs vault-postgres", () => {
  const operator = () => sandbox.vault.client().withToken(sandbox.operator.vaultToken);
  const verifier = () => sandbox.vault.client().withToken(sandbox.verifier.vaultToken);
  /** What a token may change in one environment and in the server, of all paths. */
  const changeable = async ({ vaultToken: token }: { readonly vaultToken: string }) =>
    Object.entries(await capabilities(token))
      .filter(
        ([path, allowed]) => /create|update|delete|patch|root/.test(allowed) && !path.includes("shop-dev-eu"),
      )
      .map(([path]) => path.replace(/shop_dev\w*|shop-dev-api|reader(-2)?/, "*").replace(/\/$/, ""));
  const distinct = (found: string[]) => [...new Set(found)].sort();

  test("an operator may change these paths and no others, a verifier fewer", async () => {
    expect(distinct(await changeable(sandbox.operator))).toEqual([
      "auth/shop-dev/approle/role/*/secret-id",
      "auth/shop-dev/approle/role/*/secret-id-accessor/destroy",
      "auth/shop-dev/approle/role/*/secret-id/destroy",
      "auth/token/lookup-accessor",
      "auth/token/revoke-accessor",
      "shop-dev/database/config/*",
      "shop-dev/database/rotate-role/*",
      "shop-dev/database/rotate-root/*",
      "sys/leases/lookup",
      "sys/leases/revoke",
    ]);
    expect(distinct(await changeable(sandbox.verifier))).toEqual([
      "auth/shop-dev/approle/role/*/secret-id",
      "auth/shop-dev/approle/role/*/secret-id/destroy",
      "sys/leases/revoke",
    ]);
  });

  test("an operator may tell a connection which roles it serves, and nothing else of it", async () => {
    const connection = "shop-dev/database/config/shop_dev";
    const { data: before } = await sandbox.vault.client().read(connection);
    const mayBeSet = ["allowed_roles", "verify_connection"];
    expect(ofConnection).toEqual(
      expect.arrayContaining([...mayBeSet, "root_rotation_statements", "plugin_name"]),
    );
    const ofPlugin = [
      ...["connection_url", "username", "password", "username_template", "password_authentication"],
      ...["max_open_connections", "private_key", "tls_ca", "self_managed", "no_such_parameter"],
    ];
    for (const parameter of [...ofConnection, ...ofPlugin].filter((each) => !mayBeSet.includes(each))) {
      const changes = { [parameter]: parameter.endsWith("statements") ? ["SELECT 1"] : "x" };
      await expect(operator().write(connection, changes)).rejects.toThrow(/403/);
      await expect(operator().write(connection, { allowed_roles: [], ...changes })).rejects.toThrow(/403/);
    }
    expect((await sandbox.vault.client().read(connection)).data).toEqual(before);

    await operator().done(connection, { allowed_roles: [], verify_connection: false });
    expect((await sandbox.vault.client().read(connection)).data).toEqual({ ...before, allowed_roles: [] });
    await sandbox.vault.client().done(connection, { allowed_roles: before?.allowed_roles });
  });

  test("a SecretID that an operator or a verifier issues is wrapped, and no wider than its AppRole", async () => {
    const role = "auth/shop-dev/approle/role/shop-dev-api";
    const root = sandbox.vault.client();
    await root.done(role, {
      ...{ secret_id_ttl: "1h", secret_id_num_uses: 3 },
      ...{ secret_id_bound_cidrs: ["127.0.0.0/8"], token_bound_cidrs: ["127.0.0.0/8"] },
    });
    for (const token of [operator(), verifier()]) {
      const issue = (body: object, wrapSeconds?: number) =>
        token.call({ method: "PUT", path: `${role}/secret-id`, body, wrapSeconds });
      await expect(issue({})).rejects.toThrow(/403/);
      await expect(issue({}, 3_600)).rejects.toThrow(/403/);
      expect((await issue({}, 60)).wrap_info?.token).toBeTruthy();
      const wider = [
        { ttl: "9h" },
        { num_uses: 9 },
        { cidr_list: "0.0.0.0/0" },
        { token_bound_cidrs: "0.0.0.0/0" },
      ];
      for (const body of wider) {
        await expect(issue(body, 60)).rejects.toThrow(/cannot be|subset/);
      }
    }
  });
});

// A policy is written by its name, whatever is in it: who may write one may do all that there is in the namespace.
test("who has the deployer's token is root of its namespace, however its paths are confined, and of no other", async () => {
  if (sandbox.vault.product === "Vault") {
    announce("Skipped: namespaces, which Vault has in its Enterprise edition only");
    return;
  }
  const root = sandbox.vault.client();
  await root.write("sys/namespaces/team");
  const { address, rootToken } = sandbox.vault;
  const inTeam = (token: string) => new VaultClient({ address, token, namespace: "team" });
  const documented = fs.readFileSync("docs/rights/vault-policy.hcl", "utf8");
  const policy = documented
    .replaceAll("+/database", "shop-one/database")
    .replaceAll("+/approle", "shop-one/approle");
  await inTeam(rootToken).done("sys/policies/acl/deployer", { policy });
  const made = { policies: ["deployer"], no_default_policy: true };
  const { auth } = await inTeam(rootToken).write("auth/token/create", made);
  const deployer = inTeam(auth?.client_token ?? "");

  const everything = "shop-one/database/creds/everything";
  const all = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }';
  await deployer.done(`sys/policies/acl/${everything}`, { policy: all });
  await deployer.done("sys/auth/shop-one/approle", { type: "approle" });
  const role = { token_policies: [everything], bind_secret_id: false, token_bound_cidrs: ["127.0.0.0/8"] };
  await deployer.done("auth/shop-one/approle/role/everything", role);
  const { data } = await deployer.read("auth/shop-one/approle/role/everything/role-id");
  const login = await deployer.write("auth/shop-one/approle/login", { role_id: data?.role_id });
  const token = login.auth?.client_token ?? "";

  await inTeam(token).done("sys/mounts/others", { type: "kv" });
  await expect(root.withToken(token).read("sys/mounts")).rejects.toThrow(/403/);
  await expect(root.withToken(token).read("shop-dev/database/creds/reader")).rejects.toThrow(/403/);
});
