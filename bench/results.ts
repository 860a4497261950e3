import * as fs from "node:fs";
import * as path from "node:path";
import type { StoredResult } from "./benchmark";
import { renderChart } from "./charts";
import { withResult } from "./report";

export const RESULTS = path.join(__dirname, "results");
export const DOCUMENT = path.resolve(__dirname, "../docs/performance.md");

/** Writes the JSON and the charts of a result. */
export async function writeResult(folder: string, result: StoredResult): Promise<void> {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${result.name}.json`), `${JSON.stringify(sorted(result), null, 1)}\n`);
  for (const chart of result.charts) {
    fs.writeFileSync(path.join(folder, `${result.name}-${chart.name}.svg`), await renderChart(chart));
  }
}

export function readResults(folder: string): StoredResult[] {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names
    .sort()
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), "utf8")) as StoredResult);
}

/** Brings docs/performance.md up to date with a result. */
export function updateDocument(result: StoredResult): void {
  fs.writeFileSync(DOCUMENT, withResult(fs.readFileSync(DOCUMENT, "utf8"), result));
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
