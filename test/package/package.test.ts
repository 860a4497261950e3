import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

jest.setTimeout(240_000);

const PROJECT = path.resolve(__dirname, "../..");
const manifest = JSON.parse(fs.readFileSync(path.join(PROJECT, "package.json"), "utf8")) as {
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

let folder: string;
let packed: Packed;
let consumer: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "package-"));
  // npm's own lines go to standard error; prepack compiles.
  const told = npm(PROJECT, "pack", "--json", "--pack-destination", folder);
  [packed] = JSON.parse(told.slice(told.indexOf("[\n"))) as [Packed];
  consumer = path.join(folder, "consumer");
  fs.mkdirSync(consumer);
  const peers = Object.keys(manifest.peerDependencies).filter((name) => name !== "cdktf-cli");
  const dependencies = Object.fromEntries(peers.map((name) => [name, manifest.devDependencies[name]]));
  write("package.json", JSON.stringify({ name: "consumer", private: true, dependencies }));
  npm(consumer, "install", "--no-audit", "--no-fund", "--prefer-offline", path.join(folder, packed.filename));
  // As cdktf init writes it.
  const compilerOptions = { target: "ES2018", module: "CommonJS", strict: true, outDir: "out", types: [] };
  write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["*.ts"] }));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function npm(cwd: string, ...args: string[]): string {
  const program = process.platform === "win32" ? "npm.cmd" : "npm";
  return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function write(file: string, text: string): void {
  fs.writeFileSync(path.join(consumer, file), text);
}

/** Runs a program of Node.js in the consumer's folder, and returns what it prints. */
function node(...args: string[]): string {
  const env = { ...process.env, CDKTF_OUTDIR: path.join(consumer, "cdktf.out") };
  return execFileSync(process.execPath, args, { cwd: consumer, encoding: "utf8", env });
}

/** Type-checks and compiles the consumer's sources, with a resolution of modules; what is wrong, if anything. */
function compile(...options: string[]): string {
  try {
    return node(require.resolve("typescript/bin/tsc"), ...options);
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

test("holds what was compiled, the operator's command and its rights, and nothing else", () => {
  const names = packed.files.map((file) => file.path);
  expect(names).toEqual(
    expect.arrayContaining([
      "LICENSE",
      "README.md",
      "cli/bin/vault-postgres.js",
      "dist/cli/main.js",
      "dist/lib/index.d.ts",
      "dist/lib/index.js",
      "dist/lib/index.js.map",
      "dist/stacks/index.js",
      "docs/rights/vault-policy.hcl",
    ]),
  );
  const allowed =
    /^(dist\/(lib|cli|stacks)\/|cli\/bin\/|docs\/(rights|security)\/|docs\/operations\.md$|[A-Z]+(\.md)?$|package\.json$)/;
  expect(names.filter((name) => !allowed.test(name))).toEqual([]);
  expect(names.filter((name) => /environments|\.test\.|(?<!\.d)\.ts$/.test(name))).toEqual([]);
  expect(packed.files.find(({ path: name }) => name.startsWith("cli/bin/"))?.mode).toBe(0o755);
});

test("is small, and brings little along", () => {
  expect(packed.size).toBeLessThan(400_000);
  expect(Object.keys(manifest.dependencies).sort()).toEqual(["pg", "yargs"]);
});

test.each([
  ["node10", "CommonJS"],
  ["node16", "node16"],
  ["bundler", "preserve"],
])("is found by TypeScript's moduleResolution %s, with types that are right", (moduleResolution, module) => {
  write(
    "types.ts",
    `import { Access, Duration, type IDynamicRole } from "cdktf-database-credentials";
     import { Policy } from "cdktf-database-credentials/lib/vault/policy";
     import { CredentialsStack, StateBackend, type Environment } from "cdktf-database-credentials/stacks";
     export const used = [Access.readOnly(), Duration.minutes(5), Policy, CredentialsStack, StateBackend];
     export type Used = [IDynamicRole, Environment];
     // @ts-expect-error a duration is no number
     Duration.minutes("5");
     // @ts-expect-error there is no such level
     Access.everything();`,
  );
  expect(compile("--noEmit", "--module", module, "--moduleResolution", moduleResolution)).toBe("");
  fs.rmSync(path.join(consumer, "types.ts"));
});

test("the README's example type-checks and synthesizes in an empty project", () => {
  const [, example = ""] =
    /^```ts\n(.*?)^```/ms.exec(fs.readFileSync(path.join(PROJECT, "README.md"), "utf8")) ?? [];
  write("main.ts", example);
  expect(compile()).toBe("");
  node("out/main.js");
  const synthesized = fs.readFileSync(path.join(consumer, "cdktf.out/stacks/orders/cdk.tf.json"), "utf8");
  expect(JSON.parse(synthesized)).toHaveProperty("resource.vault_database_secret_backend_role");
  expect(synthesized).toContain('"name": "database/creds/reader"');
});

test("using one construct loads the bindings of that one", () => {
  const script = `
    require("cdktf-database-credentials/lib/vault/policy");
    const loaded = Object.keys(require.cache).map((file) => file.split("node_modules/").at(-1));
    console.log(JSON.stringify(loaded.filter((file) => /^@cdktf\\/provider-[a-z]+\\/lib\\/.*\\/index.js$/.test(file))));`;
  expect(JSON.parse(node("-e", script))).toEqual(["@cdktf/provider-vault/lib/policy/index.js"]);
});

test("the operator's command runs without cdktf's, and says where that is needed", () => {
  const command = path.join(consumer, "node_modules/cdktf-database-credentials/cli/bin/vault-postgres.js");
  expect(fs.existsSync(path.join(consumer, "node_modules/.bin/vault-postgres"))).toBe(true);
  expect(node(command, "--help")).toContain("vault-postgres status <environment>");
  expect(fs.existsSync(path.join(consumer, "node_modules/cdktf-cli"))).toBe(false);
  const env = { ...process.env, VAULT_TOKEN: "none", VAULT_ADDR: "http://127.0.0.1:1" };
  const destroy = () =>
    execFileSync(process.execPath, [command, "destroy", "dev", "--auto-approve"], {
      cwd: consumer,
      env,
      stdio: "pipe",
    });
  expect(destroy).toThrow(/There is no cdktf here/);
});
