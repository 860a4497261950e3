import * as fs from "node:fs";
import * as path from "node:path";
import { commandFailed } from "../../sandbox/deployment";
import { Lifetime } from "../../sandbox/lifetime";
import type { Benchmark, BenchmarkContext, BenchmarkResult } from "../benchmark";
import { timed } from "../interleave";

const ROOT = path.resolve(__dirname, "../..");
const JEST = require.resolve("jest/bin/jest");
/** For the short cut. */
const FEW = "test/unit/duration.test.ts";
/** Of the longest suites. */
const SHOWN = 15;

/** One file of tests, as jest's JSON tells of it. */
interface Suite {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly endTime: number;
  readonly assertionResults: readonly { readonly status: string }[];
}

export const tests: Benchmark = {
  name: "tests",
  title: "The tests",
  question: "Where does the time of `npm test` go?",
  run,
};

async function run({ quick }: BenchmarkContext): Promise<BenchmarkResult> {
  const lifetime = Lifetime.begin();
  try {
    const results = path.join(lifetime.directory, "results.json");
    const logFile = path.join(lifetime.directory, "jest.log");
    const args = [JEST, "--ci", "--json", `--outputFile=${results}`, ...(quick ? [FEW] : [])];
    const ms = await timed(async () => {
      const running = lifetime.start({
        command: process.execPath,
        args,
        cwd: ROOT,
        env: process.env,
        logFile,
      });
      const code = await running.exited;
      if (code !== 0) throw commandFailed("npm test", code, logFile, { lifetime });
    });
    const { testResults } = JSON.parse(fs.readFileSync(results, "utf8")) as { testResults: Suite[] };
    return result(ms / 1_000, testResults);
  } finally {
    await lifetime.end();
  }
}

function result(seconds: number, suites: readonly Suite[]): BenchmarkResult {
  const byTime = [...suites].sort((a, b) => secondsOf([b]) - secondsOf([a]));
  const folders = [...new Set(byTime.map(folderOf))]
    .map((folder) => ({ folder, within: byTime.filter((suite) => folderOf(suite) === folder) }))
    .sort((a, b) => secondsOf(b.within) - secondsOf(a.within));
  return {
    versions: {},
    tables: [
      {
        title: `All in ${seconds.toFixed(0)} s; by folder`,
        columns: ["Folder", "suites", "passed", "seconds"],
        rows: [...folders, { folder: "all", within: byTime }].map(({ folder, within }) => [
          folder,
          within.length,
          passed(within),
          secondsOf(within).toFixed(0),
        ]),
      },
      {
        title: "The suites that take longest",
        columns: ["Suite", "passed", "seconds"],
        rows: byTime
          .slice(0, SHOWN)
          .map((suite) => [nameOf(suite), passed([suite]), secondsOf([suite]).toFixed(0)]),
      },
    ],
    charts: [],
    goals: [],
    samples: Object.fromEntries(byTime.map((suite) => [nameOf(suite), [secondsOf([suite])]])),
  };
}

function secondsOf(suites: readonly Suite[]): number {
  return suites.reduce((sum, { startTime, endTime }) => sum + (endTime - startTime) / 1_000, 0);
}

function passed(suites: readonly Suite[]): number {
  return suites
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "passed").length;
}

function nameOf({ name }: Suite): string {
  return path.relative(ROOT, name).replaceAll(path.sep, "/");
}

function folderOf(suite: Suite): string {
  return path.posix.dirname(nameOf(suite)).split("/").slice(0, 2).join("/");
}
