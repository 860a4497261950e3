import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { announce } from "../e2e/announce";
import { FULL } from "./servers";

const FOLDER = path.resolve(__dirname, "../../docs/security");
/** Writes what was measured instead of comparing it. */
const UPDATE = process.env.UPDATE_DOCS === "1";

export interface Table {
  /** Below `docs/security`. */
  readonly file: string;
  /** Heading and what the table says, in Markdown. */
  readonly introduction: string;
  readonly columns: readonly string[];
  /** How many of the first columns tell one row from the others. @default 1 */
  readonly keys?: number;
  /** Where several tests make one table, what the rows of this one have in the last column. @default - all are its own */
  readonly owner?: string;
}

/**
 * Compares rows that a test measured with the documentation; a run that measures other rows leaves them alone. With
 * UPDATE_DOCS=1 they are written instead, in the order of their keys unless `complete`.
 *
 * @param complete whether these are all rows of the table, in their order; else a row that the documentation does
 *   not have is told and not compared, but in the full set
 */
export function expectDocumented(table: Table, rows: readonly (readonly string[])[], complete = false): void {
  const file = path.join(FOLDER, table.file);
  const found = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  const isOwn = (row: readonly string[]) => table.owner === undefined || row.at(-1) === table.owner;
  const others = rowsOf(found).filter((row) => !isOwn(row));
  const own = rowsOf(found).filter(isOwn);
  const known = new Map(own.map((row) => [keyOf(table, row), row]));
  if (!complete && !UPDATE && !FULL) {
    const unknown = rows.filter((row) => !known.has(keyOf(table, row)));
    unknown.forEach((row) =>
      announce(`docs/security/${table.file} has no row like this one: ${row.join(", ")}`),
    );
    rows = rows.filter((row) => !unknown.includes(row));
  }
  const before = complete ? Infinity : known.size;
  if (complete) known.clear();
  rows.forEach((row) => known.set(keyOf(table, row), [...row]));
  const all = [...known.entries()].map(([, row]) => row);
  if (all.length > before) all.sort((a, b) => (keyOf(table, a) < keyOf(table, b) ? -1 : 1));
  const together = [...others, ...all];
  // Each test's rows stay in their order.
  if (table.owner !== undefined) together.sort((a, b) => compare(a.at(-1) ?? "", b.at(-1) ?? ""));
  const formatted = format(file, textOf(table, together));
  if (UPDATE) {
    fs.mkdirSync(FOLDER, { recursive: true });
    fs.writeFileSync(file, formatted);
  } else {
    // UPDATE_DOCS=1 writes what was measured.
    expect(found).toBe(formatted);
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const keyOf = (table: Table, row: readonly string[]) => row.slice(0, table.keys ?? 1).join("|");

function textOf({ introduction, columns }: Table, rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const head = [line(columns), line(columns.map(() => "---"))];
  return [introduction.trim(), "", ...head, ...rows.map(line), ""].join("\n");
}

/** As `npm run format` would; a process of its own, for jest has no dynamic import. */
function format(file: string, text: string): string {
  const prettier = require.resolve("prettier/bin/prettier.cjs");
  const options = { input: text, encoding: "utf8" as const };
  return execFileSync(process.execPath, [prettier, "--stdin-filepath", file], options);
}

/** The rows of a document's table, without its head. */
function rowsOf(document: string): string[][] {
  const lines = document.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
