import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { AccessReport } from "../../lib";

jest.setTimeout(60_000);

const PROJECT = path.resolve(__dirname, "../..");
const PROGRAM = path.join(PROJECT, "cli/bin/vault-postgres.js");
const COMPOSITION = path.join(PROJECT, "examples/composition");

// Concurrent tests begin before beforeAll does.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "access-test-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `vault-postgres access` with no variable of a server. */
function access(cwd: string, ...args: string[]): Promise<Ended> {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, CHECKPOINT_DISABLE: "1" };
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, "access", ...args], { cwd, env }, (error, out, err) =>
      resolve({ code: (error?.code as number | undefined) ?? 0, out, err }),
    );
  });
}

/** A project with an app of these lines. */
function appOf(name: string, ...lines: string[]): string {
  const project = path.join(folder, name);
  fs.mkdirSync(project);
  fs.symlinkSync(path.join(PROJECT, "node_modules"), path.join(project, "node_modules"));
  fs.writeFileSync(path.join(project, "main.mjs"), lines.join("\n"));
  const settings = {
    language: "typescript",
    app: "node main.mjs",
    projectId: "x",
    sendCrashReports: "false",
  };
  fs.writeFileSync(path.join(project, "cdktf.json"), JSON.stringify(settings));
  return project;
}

test.concurrent("shows any app, with no server and no token, and leaves nothing behind", async () => {
  const before = fs.readdirSync(COMPOSITION);
  const { code, out } = await access(COMPOSITION, "--json");
  expect(code).toBe(0);
  const report = JSON.parse(out) as AccessReport;
  expect(report.version).toBe(1);
  expect(report.appRoles.map(({ name }) => name)).toEqual(["reporting"]);
  expect(fs.readdirSync(COMPOSITION)).toEqual(before);
});

test.concurrent("draws a picture into a file", async () => {
  const file = path.join(folder, "access.svg");
  const args = ["reporting-dev", "--format", "svg", "--output-file", file];
  const { code, out } = await access(COMPOSITION, ...args);
  expect({ code, out }).toEqual({ code: 0, out: "" });
  const svg = fs.readFileSync(file, "utf8");
  expect(svg).toMatch(/<svg [^]*>orders_dev_auditor<[^]*<\/svg>\n$/);
});

test.concurrent("names the stacks that there are", async () => {
  const { code, out, err } = await access(COMPOSITION, "production");
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toBe('There is no stack "production" in this app.\nThere are reporting-dev.\n');
});

test.concurrent("without cdktf.json says where to go", async () => {
  const { code, err } = await access(folder);
  expect(code).toBe(2);
  expect(err).toMatch(/^There is no cdktf\.json here\.\n/);
});

test.concurrent("tells that the app fails, and how", async () => {
  const { code, out, err } = await access(appOf("failing", 'throw new Error("no such luck");'));
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/^The app fails\.\n[^]*no such luck/);
});

test.concurrent("of an app without our constructs makes no empty picture", async () => {
  const lines = ['import { App, TerraformStack } from "cdktf";', "const app = new App();"];
  const project = appOf("foreign", ...lines, 'new TerraformStack(app, "foreign");', "app.synth();");
  const { code, out, err } = await access(project);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/^The app has no constructs of cdktf-database-credentials/);
});
