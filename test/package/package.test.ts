import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Consumer, manifest, pack, PROJECT, type Packed } from "./consumer";

jest.setTimeout(240_000);

let folder: string;
let packed: Packed;
let consumer: Consumer;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "package-"));
  packed = pack(folder);
  consumer = Consumer.install(path.join(folder, "consumer"), path.join(folder, packed.filename));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

describe("the package", () => {
  test("holds what was compiled, the operator's command and its rights, and nothing else", () => {
    const names = packed.files.map((file) => file.path);
    expect(names).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "README.md",
        "cli/bin/access-preload.js",
        "cli/bin/vault-postgres.js",
        "dist/cli/main.js",
        "dist/lib/index.d.ts",
        "dist/lib/index.js",
        "dist/stacks/index.js",
        "docs/rights/vault-policy.hcl",
      ]),
    );
    const allowed =
      /^(dist\/(lib|cli|stacks)\/|cli\/bin\/|docs\/(rights|security)\/|docs\/(operations|recovery)\.md$|[A-Z]+(\.md)?$|package\.json$)/;
    expect(names.filter((name) => !allowed.test(name))).toEqual([]);
    expect(names.filter((name) => /environments|\.test\.|(?<!\.d)\.ts$/.test(name))).toEqual([]);
    expect(packed.files.find(({ path: name }) => name === "cli/bin/vault-postgres.js")?.mode).toBe(0o755);
  });

  test("is small, and brings little along", () => {
    expect(packed.size).toBeLessThan(480_000);
    expect(Object.keys(manifest.dependencies).sort()).toEqual(["@viz-js/viz", "pg", "yargs"]);
  });

  test.each([
    ["node10", "CommonJS"],
    ["node16", "node16"],
    ["bundler", "preserve"],
  ])(
    "is found by TypeScript's moduleResolution %s, with types that are right",
    (moduleResolution, module) => {
      consumer.write(
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
      expect(consumer.compile("--noEmit", "--module", module, "--moduleResolution", moduleResolution)).toBe(
        "",
      );
      fs.rmSync(consumer.file("types.ts"));
    },
  );

  test("synthesizes the README's example in an empty project", () => {
    const readme = fs.readFileSync(path.join(PROJECT, "README.md"), "utf8");
    consumer.write("readme.ts", /^```ts\n(.*?)^```/ms.exec(readme)?.[1] ?? "");
    expect(consumer.compile()).toBe("");
    const { orders } = consumer.synthesize("readme.js");
    expect(orders).toHaveProperty("resource.vault_database_secret_backend_role");
    expect(JSON.stringify(orders)).toContain('"name":"database/creds/reader"');
    fs.rmSync(consumer.file("readme.ts"));
  });

  test("loads the bindings of a construct that is imported alone, and no others", () => {
    const script = `
      require("cdktf-database-credentials/lib/vault/policy");
      const loaded = Object.keys(require.cache).map((file) => file.split("node_modules/").at(-1));
      console.log(JSON.stringify(loaded.filter((file) => /^@cdktf\\/provider-[a-z]+\\/lib\\/.*\\/index.js$/.test(file))));`;
    expect(JSON.parse(consumer.node(["-e", script]))).toEqual(["@cdktf/provider-vault/lib/policy/index.js"]);
  });

  test("runs the operator's command without cdktf's, and says where that is needed", () => {
    const command = consumer.file("node_modules/cdktf-database-credentials/cli/bin/vault-postgres.js");
    expect(fs.existsSync(consumer.file("node_modules/.bin/vault-postgres"))).toBe(true);
    expect(consumer.node([command, "--help"])).toContain("vault-postgres status <environment>");
    expect(fs.existsSync(consumer.file("node_modules/cdktf-cli"))).toBe(false);
    const env = { VAULT_TOKEN: "none", VAULT_ADDR: "http://127.0.0.1:1" };
    expect(() => consumer.node([command, "destroy", "dev", "--auto-approve"], env)).toThrow(
      /There is no cdktf here/,
    );
  });
});

describe("CDK Terrain, under the name of cdktf,", () => {
  const CDKTN = "npm:cdktn@0.24.0";
  let terrain: Consumer;
  beforeAll(() => {
    const overrides = Object.fromEntries(
      ["@cdktf/provider-postgresql", "@cdktf/provider-vault"].map((name) => [name, { cdktf: "$cdktf" }]),
    );
    const library = path.join(folder, packed.filename);
    terrain = Consumer.install(path.join(folder, "terrain"), library, { cdktf: CDKTN }, overrides);
    for (const project of [consumer, terrain]) copyApps(project);
  });

  test("is what is installed, and only that", () => {
    const { name } = JSON.parse(terrain.read("node_modules/cdktf/package.json")) as { name: string };
    expect(name).toBe("cdktn");
    // A second copy, below a provider's, would be cdktf itself.
    expect(
      terrain.node(["-p", "require.resolve('cdktf', { paths: [require.resolve('@cdktf/provider-vault')] })"]),
    ).toBe(terrain.node(["-p", "require.resolve('cdktf')"]));
  });

  test("synthesizes every environment and every example as cdktf does", () => {
    expect(consumer.compile()).toBe("");
    expect(terrain.compile()).toBe("");
    for (const app of APPS) {
      const ours = consumer.synthesize(app);
      expect(Object.keys(ours).length).toBeGreaterThan(0);
      expect([app, terrain.synthesize(app)]).toEqual([app, ours]);
    }
  });
});

/** The apps of this project, as compiled in a consumer's. */
const EXAMPLES = fs
  .readdirSync(path.join(PROJECT, "examples"))
  .filter((name) => fs.existsSync(path.join(PROJECT, "examples", name, "main.ts")));
const APPS = ["main.js", ...EXAMPLES.map((name) => `examples/${name}/main.js`)];

/** Copies what defines stacks, and has it import the package instead of our sources. */
function copyApps(project: Consumer): void {
  const files = ["main.ts", ...sourcesIn("stacks/environments")];
  for (const name of EXAMPLES) {
    files.push(...sourcesIn(`examples/${name}`).filter((file) => /(main|-stack)\.ts$/.test(file)));
  }
  for (const file of files) {
    const text = fs.readFileSync(path.join(PROJECT, file), "utf8");
    project.write(
      file,
      text
        .replace(/"(\.\.?\/)+lib"/g, '"cdktf-database-credentials"')
        .replace(
          /"(\.\.?\/)+(stacks\/)?(credentials-stack|environment|state-backend)"/g,
          '"cdktf-database-credentials/stacks"',
        ),
    );
  }
}

function sourcesIn(folder: string): string[] {
  return fs
    .readdirSync(path.join(PROJECT, folder))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`);
}
