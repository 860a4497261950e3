import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as os from "node:os";
import * as path from "node:path";
import ts from "typescript";

const PROJECT = path.resolve(__dirname, "../..");
const README = fs.readFileSync(path.join(PROJECT, "README.md"), "utf8");
// That its types are right, test/docs sees to. The package is found by its name once it is installed, which test/package sees to.
const examples = [...README.matchAll(/^```ts\n(.*?)^```/gms)].map((match) =>
  (match[1] ?? "").replace('"cdktf-database-credentials"', '"./lib"'),
);

describe("the README", () => {
  test("has an example that synthesizes", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "readme-"));
    const before = process.env.CDKTF_OUTDIR;
    process.env.CDKTF_OUTDIR = folder;
    try {
      const { outputText } = ts.transpileModule(examples[0] ?? "", {
        compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
      });
      const fromProject = createRequire(path.join(PROJECT, "main.ts"));
      const load = (name: string): unknown =>
        name === "./lib" ? jest.requireActual("../../lib") : fromProject(name);
      // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the README is ours
      const run = new Function("require", "exports", outputText) as (
        require: unknown,
        exports: unknown,
      ) => void;
      run(load, {});
      const synthesized = fs.readFileSync(path.join(folder, "stacks/orders/cdk.tf.json"), "utf8");
      expect(synthesized).toMatch(/"name": "database\/creds\/reader"/);
    } finally {
      if (before === undefined) delete process.env.CDKTF_OUTDIR;
      else process.env.CDKTF_OUTDIR = before;
      fs.rmSync(folder, { recursive: true });
    }
  });

  test("says how many statements are tried as the table of them has", () => {
    const table = fs.readFileSync(path.join(PROJECT, "docs/security/verdicts.md"), "utf8");
    const rows = table.split("\n").filter((line) => line.startsWith("|")).length - 2;
    expect(README).toContain(`[${rows} statements](docs/security/verdicts.md)`);
  });
});
