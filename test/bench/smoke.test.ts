import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { BENCHMARKS } from "../../bench/benchmarks";
import { readResults } from "../../bench/results";
import { announce } from "../e2e/announce";

jest.setTimeout(900_000);

const ROOT = path.resolve(__dirname, "../..");

function bench(...args: string[]) {
  return spawnSync(process.execPath, ["--import", "tsx", "bench/main.ts", ...args], {
    cwd: ROOT,
    encoding: "utf8",
  });
}

test("an unknown name is refused, with the names that there are", () => {
  const { status, stderr } = bench("nonsense");
  expect(status).toBe(1);
  expect(stderr).toContain('There is no benchmark "nonsense".');
  for (const { name } of BENCHMARKS) expect(stderr).toContain(name);
});

/** They deploy: several definitions several times, a fleet, and the whole demo. */
const SLOW = ["plan-apply", "plan-apply-large", "plan-apply-module", "fleet", "demo"];
const full = process.env.TEST_FULL === "1";

test("the short cut runs each benchmark, and writes its result and charts", () => {
  const names = BENCHMARKS.map(({ name }) => name).filter((name) => full || !SLOW.includes(name));
  if (!full) announce(`${SLOW.join(", ")}: too long even in the short cut, so in the full set alone`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-"));
  try {
    const { status, stderr } = bench("--quick", "--output", folder, ...names);
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    const results = readResults(folder);
    expect(results.map(({ name }) => name).sort()).toEqual([...names].sort());
    for (const { name, tables, charts } of results) {
      expect(tables.length).toBeGreaterThan(0);
      for (const { columns, rows } of tables) {
        expect(rows.map((row) => row.length)).toEqual(rows.map(() => columns.length));
      }
      for (const chart of charts) {
        expect(fs.readFileSync(path.join(folder, `${name}-${chart.name}.svg`), "utf8")).toMatch(/^<svg /);
      }
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
