import * as fs from "node:fs";
import * as path from "node:path";
import type { StoredResult } from "./benchmark";
import { renderChart } from "./charts";
import { withResult } from "./report";

export const RESULTS = path.join(__dirname, "results");
export const DOCUMENT = path.resolve(__dirname, "../docs/performance.md");

/** Writes the JSON and the charts of a result. */
export function writeResult(folder: string, result: StoredResult): void {
  fs.mkdirSync(folder, { recursive: true });
  const stored = asStored(result);
  fs.writeFileSync(path.join(folder, `${result.name}.json`), `${JSON.stringify(stored, null, 1)}\n`);
  for (const [file, svg] of chartsOf(stored)) fs.writeFileSync(path.join(folder, file), svg);
}

export function readResults(folder: string): StoredResult[] {
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names
    .sort()
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), "utf8")) as StoredResult);
}

/** Brings docs/performance.md up to date with a result. */
export function updateDocument(result: StoredResult): void {
  const document = fs.readFileSync(DOCUMENT, "utf8");
  fs.writeFileSync(DOCUMENT, withResult(document, result.name, asStored(result)));
}

/**
 * What does not agree with the results in a folder: charts beside them, and the document.
 *
 * @param names of all benchmarks; of one without a result, the document has to say so
 */
export function disagreements(folder: string, document: string, names: readonly string[]): string[] {
  const results = readResults(folder);
  const charts = new Map(results.flatMap(chartsOf));
  const svgs = fs.existsSync(folder) ? fs.readdirSync(folder).filter((file) => file.endsWith(".svg")) : [];
  const read = (file: string) => fs.readFileSync(path.join(folder, file), "utf8");
  return [
    ...results.filter(({ name }) => !names.includes(name)).map(({ name }) => `${name}: of no benchmark`),
    ...results.filter(({ quick }) => quick).map(({ name }) => `${name}: of the short cut`),
    ...[...charts.keys()].filter((file) => !svgs.includes(file)).map((file) => `${file}: missing`),
    ...svgs.filter((file) => !charts.has(file)).map((file) => `${file}: of no result`),
    ...svgs
      .filter((file) => charts.has(file) && read(file) !== charts.get(file))
      .map((file) => `${file}: stale`),
    ...names
      .filter(
        (name) =>
          withResult(
            document,
            name,
            results.find((each) => each.name === name),
          ) !== document,
      )
      .map((name) => `${name}: the document says something else`),
  ];
}

/** SVG by file name. */
function chartsOf(result: StoredResult): [string, string][] {
  return result.charts.map((chart) => [`${result.name}-${chart.name}.svg`, renderChart(chart)]);
}

/** As it is read again: what is shown is made from this, so that it can be made again from the file. */
function asStored(result: StoredResult): StoredResult {
  return sorted(result) as StoredResult;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value === "number") return Math.round(value * 1000) / 1000;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as Record<string, unknown>);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]),
  );
}
