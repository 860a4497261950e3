import type { StoredResult, Table } from "./benchmark";

/** What docs/performance.md shows of a result, as prettier would leave it. */
export function markdownOf(result: StoredResult): string {
  const parts = [
    `Measured on ${result.date} in ${Math.round(result.seconds)} s: ${described(result)}.`,
    ...result.tables.flatMap((table) => [`**${table.title}**`, markdownTable(table)]),
    ...result.charts.map(({ name, title }) => `![${title}](../bench/results/${result.name}-${name}.svg)`),
  ];
  if (result.goals.length > 0) {
    const rows = result.goals.map(({ text, measured, met }) => [text, measured, met ? "yes" : "**no**"]);
    parts.push(markdownTable({ title: "", columns: ["Goal", "Measured", "Met"], rows }));
  }
  return parts.join("\n\n");
}

/** What docs/performance.md says of a benchmark without a result. */
export const NOT_MEASURED = "Not measured yet.";

/**
 * Replaces the text between `<!-- bench:<name> -->` and `<!-- /bench -->`.
 *
 * @param result of the benchmark; absent if it has none
 * @throws Error for a document without a place for it
 */
export function withResult(document: string, name: string, result: StoredResult | undefined): string {
  const start = `<!-- bench:${name} -->`;
  const end = "<!-- /bench -->";
  const from = document.indexOf(start);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/performance.md has no "${start}" with "${end}" after it.`);
  const text = result === undefined ? NOT_MEASURED : markdownOf(result);
  return `${document.slice(0, from + start.length)}\n\n${text}\n\n${document.slice(to)}`;
}

/** For a terminal. */
export function textOf(result: StoredResult): string {
  return [
    `${result.title} (${Math.round(result.seconds)} s)`,
    ...result.tables.map((table) => `${table.title}\n${markdownTable(table)}`),
    ...result.goals.map(({ text, measured, met }) => `${met ? "met    " : "NOT MET"} ${text}: ${measured}`),
  ].join("\n\n");
}

function described(result: StoredResult): string {
  const facts = Object.entries({ ...result.machine, ...result.versions });
  return facts.map(([name, value]) => `${name} ${value}`).join(", ");
}

function markdownTable({ columns, rows }: Table): string {
  const cells = [columns, ...rows].map((row) => row.map((cell) => String(cell).replaceAll("|", "\\|")));
  const widths = columns.map((_, index) => Math.max(3, ...cells.map((row) => (row[index] ?? "").length)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, index) => (row[index] ?? "").padEnd(width)).join(" | ")} |`;
  const [head = [], ...body] = cells;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
