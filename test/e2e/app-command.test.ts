import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

jest.setTimeout(120_000);

const ROOT = path.resolve(__dirname, "../..");
const { app } = JSON.parse(fs.readFileSync(path.join(ROOT, "cdktf.json"), "utf8")) as { app: string };

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "app-"));
  for (const name of ["main.ts", "lib", "stacks", "tsconfig.json", "tsconfig.app.json", "package.json"]) {
    fs.cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  }
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"), "dir");
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Runs the command of cdktf.json, as cdktf does. */
function start() {
  const { status, stdout, stderr } = spawnSync(app, { cwd: folder, shell: true, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

const stacks = () => fs.readdirSync(path.join(folder, "cdktf.out", "stacks")).sort();

test("the command of cdktf.json synthesizes in a fresh checkout, and again", () => {
  expect(start()).toEqual({ status: 0, said: "" });
  expect(stacks()).toEqual(["dev", "local", "production", "staging"]);
  expect(start()).toEqual({ status: 0, said: "" });
});

test("an error of types ends it and is named, each time, and what was compiled before does not run", () => {
  const file = path.join(folder, "stacks/environments/dev.ts");
  const before = fs.readFileSync(file, "utf8");
  fs.rmSync(path.join(folder, "cdktf.out"), { recursive: true });
  fs.writeFileSync(file, `${before}\nconst port: number = "5432";\n`);
  for (let time = 0; time < 2; time++) {
    const { status, said } = start();
    expect(status).not.toBe(0);
    expect(said).toMatch(/stacks\/environments\/dev\.ts\(\d+,7\): error TS2322/);
  }
  expect(fs.existsSync(path.join(folder, "cdktf.out"))).toBe(false);
  fs.writeFileSync(file, before);
  expect(start()).toEqual({ status: 0, said: "" });
});
