import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { StoredResult } from "../../bench/benchmark";
import { BENCHMARKS } from "../../bench/benchmarks";
import { NOT_MEASURED, withResult } from "../../bench/report";
import { disagreements, DOCUMENT, readResults, RESULTS, writeResult } from "../../bench/results";
import { announce } from "../e2e/announce";

const NAMES = BENCHMARKS.map(({ name }) => name);

test("docs/performance.md and the charts are what the committed results say", () => {
  const measured = readResults(RESULTS).map(({ name }) => name);
  for (const name of NAMES.filter((each) => !measured.includes(each))) {
    announce(`${name} has no committed result: the document has to say "${NOT_MEASURED}"`);
  }
  expect(disagreements(RESULTS, fs.readFileSync(DOCUMENT, "utf8"), NAMES)).toEqual([]);
});

describe("what does not agree is told", () => {
  const empty = "# Performance\n\n<!-- bench:one -->\n\nNot measured yet.\n\n<!-- /bench -->\n";
  const result: StoredResult = {
    name: "one",
    title: "One",
    question: "What is one?",
    date: "2026-01-01",
    seconds: 1.23456,
    quick: false,
    machine: { Zeta: "1", Alpha: "2" },
    versions: {},
    tables: [{ title: "Table", columns: ["a", "b"], rows: [["x", 1 / 3]] }],
    charts: [
      {
        name: "chart",
        title: "Chart",
        kind: "line",
        x: { label: "x" },
        y: { label: "y", unit: "ms" },
        series: [{ name: "s", points: [[1, 1 / 3]] }],
      },
    ],
    goals: [],
    samples: {},
  };
  let folder: string;
  let document: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-results-"));
    writeResult(folder, result);
    document = withResult(empty, "one", readResults(folder)[0]);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const told = () => disagreements(folder, document, ["one"]);

  test("nothing of what was just written", () => expect(told()).toEqual([]));

  test("a document that still says that nothing was measured", () => {
    document = empty;
    expect(told()).toEqual(["one: the document says something else"]);
  });

  test("a document with figures of no result", () => {
    fs.rmSync(folder, { recursive: true });
    fs.mkdirSync(folder);
    expect(told()).toEqual(["one: the document says something else"]);
  });

  test("a figure changed by hand", () => {
    document = document.replace("0.333", "0.3");
    expect(told()).toEqual(["one: the document says something else"]);
  });

  test("charts that are stale, missing or of no result", () => {
    fs.appendFileSync(path.join(folder, "one-chart.svg"), " ");
    expect(told()).toEqual(["one-chart.svg: stale"]);
    fs.renameSync(path.join(folder, "one-chart.svg"), path.join(folder, "two.svg"));
    expect(told()).toEqual(["one-chart.svg: missing", "two.svg: of no result"]);
  });

  test("a result of the short cut, and one of no benchmark", () => {
    writeResult(folder, { ...result, quick: true });
    expect(told()).toEqual(["one: of the short cut"]);
    expect(disagreements(folder, document, [])).toEqual(["one: of no benchmark", "one: of the short cut"]);
  });
});
