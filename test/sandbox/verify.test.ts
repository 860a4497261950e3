import * as fs from "node:fs";
import * as path from "node:path";
import { parseOutputs } from "../../cli/outputs";
import { main } from "../../cli/main";
import type { EnvironmentOutputs } from "../../stacks/outputs";
import { FakeShell } from "./fake-shell";
import { temporaryFolder } from "./helpers";

const { folder, remove } = temporaryFolder();
afterAll(remove);

const OUTPUTS: EnvironmentOutputs = {
  vault: {
    // Port 9 is "discard": nobody listens there.
    address: "http://127.0.0.1:9",
    mount: "orders-x/database",
    connection: "orders_x",
    approle_mount: "orders-x/approle",
  },
  postgres: {
    host: "127.0.0.1",
    port: 9,
    database: "orders_x",
    sslmode: "disable",
    manager: "orders_x_manager",
  },
  roles: {
    reader: {
      creds_path: "orders-x/database/creds/reader",
      base_role: "orders_x_reader",
      access: "read-only",
      schemas: ["app"],
      revocation: "terminate",
      default_ttl: 60,
      max_ttl: 120,
    },
  },
  approles: {
    reports: {
      role_id: "1",
      login_path: "auth/orders-x/approle/login",
      secret_id_path: "auth/orders-x/approle/role/reports/secret-id",
      roles: ["reader"],
    },
  },
};

function file(name: string, content: unknown): string {
  const written = path.join(folder, name);
  fs.writeFileSync(written, JSON.stringify(content));
  return written;
}

async function verify(args: string[], env: NodeJS.ProcessEnv = { VAULT_TOKEN: "t0ken" }) {
  const shown: string[] = [];
  jest.spyOn(console, "log").mockImplementation((text: string) => void shown.push(text));
  const shell = new FakeShell(env);
  const code = await main(["verify", ...args], shell).finally(() => jest.restoreAllMocks());
  return { code, shown: [...shown, ...shell.out, ...shell.err].join("\n") };
}

test.each([
  ["no environment", [], "No environment is named"],
  ["two environments", ["dev", "staging"], "Unknown argument: staging"],
  ["an unknown option", ["dev", "--jsno"], "Unknown argument: jsno"],
])("with %s it says so and ends with 2", async (_, args, message) => {
  const { code, shown } = await verify(args);
  expect(code).toBe(2);
  expect(shown).toContain(message);
  expect(shown).toContain("See vault-postgres verify --help");
});

test("without VAULT_TOKEN it says which rights one needs", async () => {
  const { code, shown } = await verify(["dev"], {});
  expect(code).toBe(2);
  expect(shown).toMatch(/VAULT_TOKEN is not set\.\n.*docs\/rights\/verify-policy\.hcl/);
});

test("for a stack that was not synthesized it says how to deploy it", async () => {
  const { code, shown } = await verify(["nowhere", "--output", folder]);
  expect(code).toBe(2);
  expect(shown).toMatch(/no stack "nowhere" in .*\n.*cdktf deploy nowhere/);
});

test("an outputs file of another environment is refused", async () => {
  const { code, shown } = await verify(["dev", "--outputs", file("other.json", { staging: OUTPUTS })]);
  expect(code).toBe(2);
  expect(shown).toContain('no output "vault", "postgres", "roles", "approles" of the environment "dev"');
});

test("servers that do not answer end it with 2, without the token and without a stack trace", async () => {
  const { code, shown } = await verify(["dev", "--outputs", file("dev.json", { dev: OUTPUTS })]);
  expect(code).toBe(2);
  expect(shown).toMatch(/Vault does not answer: .*ECONNREFUSED/);
  expect(shown).not.toContain("t0ken");
  expect(shown).not.toMatch(/\n\s+at /);
});

test("--help explains its use and ends with 0", async () => {
  const { code, shown } = await verify(["--help"]);
  expect(code).toBe(0);
  expect(shown).toContain("vault-postgres verify <environment>");
  expect(shown).toMatch(/Exit code: 0 .*, 1 a check failed [^]*, 2 not tried/);
});

test("outputs in Terraform's own form are those of the environment that is named, or refused", async () => {
  const ofTerraform = (environment?: string) =>
    Object.fromEntries(
      Object.entries({ ...OUTPUTS, ...(environment !== undefined && { environment }) }).map(
        ([name, value]) => [name, { sensitive: false, type: "dynamic", value: value }],
      ),
    );
  const { code, shown } = await verify(["dev", "--outputs", file("prod.json", ofTerraform("prod"))]);
  expect(code).toBe(2);
  expect(shown).toMatch(
    /prod\.json has the outputs of the environment "prod", not of "dev"\.\nName that environment/,
  );
  expect(() => parseOutputs({ dev: ofTerraform("prod") }, "dev", "a file")).toThrow(/environment "prod"/);
  expect(parseOutputs(ofTerraform("dev"), "dev", "a file")).toEqual(OUTPUTS);
  // Of an earlier version.
  expect(parseOutputs(ofTerraform(), "dev", "a file")).toEqual(OUTPUTS);
});

test("outputs are understood as cdktf and as Terraform write them", () => {
  const ofTerraform = Object.fromEntries(
    Object.entries(OUTPUTS).map(([name, value]) => [
      name,
      { sensitive: false, type: "dynamic", value: value as unknown },
    ]),
  );
  expect(parseOutputs({ dev: OUTPUTS }, "dev", "a file")).toEqual(OUTPUTS);
  expect(parseOutputs(ofTerraform, "dev", "a file")).toEqual(OUTPUTS);
  const legacy = {
    creds_path: `${OUTPUTS.vault.mount}/static-creds/legacy`,
    rotate_path: `${OUTPUTS.vault.mount}/rotate-role/legacy`,
    username: "u",
    rotation_period: 60,
  };
  const withStatic = { ...OUTPUTS, static_roles: { legacy } };
  expect(parseOutputs({ dev: withStatic }, "dev", "a file")).toEqual(withStatic);
});
