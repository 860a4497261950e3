import { COLUMNS, type PictureNode } from "./drawing";
import { pictureOf } from "./picture";
import type { AccessReport } from "./report";
import type { Strength } from "./words";

const STROKE: Readonly<Record<Strength, string>> = { read: "#1f7a4d", write: "#b26a00", own: "#b3261e" };
const FILL: Readonly<Record<Strength, string>> = { read: "#e3f4ec", write: "#fff1d6", own: "#fde4e1" };

/**
 * The same picture in the language of Graphviz, for SVG. In a font of fixed width, which is as wide on all machines, so that
 * names stay in their boxes.
 */
export function accessDot(report: AccessReport): string {
  const { nodes, edges } = pictureOf(report);
  const font = 'fontname="Courier"';
  const lines = [
    "digraph access {",
    `  graph [rankdir=LR, nodesep=0.12, ranksep=0.9, ${font}, fontsize=13, fontcolor="#555555", pad=0.3]`,
    `  node [shape=box, style="filled,rounded", fillcolor="#ffffff", color="#777777", ${font}, fontsize=11, margin="0.12,0.03", height=0.3]`,
    `  edge [color="#777777", ${font}, fontsize=9, arrowsize=0.6]`,
  ];
  const columns = COLUMNS.filter((column) => nodes.some((node) => node.column === column));
  for (const column of columns) {
    const own = nodes.filter((node) => node.column === column);
    lines.push(
      `  { rank=same`,
      `    ${quoted(column)} [shape=plaintext, style="", fontsize=13, fontcolor="#555555"]`,
    );
    lines.push(...own.map((node) => `    ${quoted(node.id)} [${attributesOf(node)}]`), "  }");
  }
  // Titles stand in a row above their columns, applications in the order of declaration.
  lines.push(`  ${columns.map(quoted).join(" -> ")} [style=invis]`);
  for (const column of columns) {
    const own = nodes.filter((node) => node.column === column).map(({ id }) => quoted(id));
    if (column === "applications") lines.push(`  ${[quoted(column), ...own].join(" -> ")} [style=invis]`);
    else lines.push(`  ${quoted(column)} -> { ${own.join(" ")} } [style=invis]`);
  }
  for (const { from, to, label, strength } of edges) {
    const color = strength && `color="${STROKE[strength]}", fontcolor="${STROKE[strength]}", penwidth=1.4`;
    const text = label && `label=${quoted(label)}`;
    const given = [color, text].filter((each) => each !== undefined);
    lines.push(`  ${quoted(from)} -> ${quoted(to)} [${given.join(", ")}]`);
  }
  return `${[...lines, "}"].join("\n")}\n`;
}

function attributesOf({ names, lines, strength, unknown }: PictureNode): string {
  const bold = names.map((name) => row(`<B>${markup(name)}</B>`));
  const small = lines.map((line) => row(`<FONT POINT-SIZE="9" COLOR="#444444">${markup(line)}</FONT>`));
  const table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">';
  const label = `label=<${table}${[...bold, ...small].join("")}</TABLE>>`;
  const colors = strength && `fillcolor="${FILL[strength]}", color="${STROKE[strength]}"`;
  const dashed = unknown === true ? 'style="filled,rounded,dashed", fillcolor="#eeeeee"' : undefined;
  return [label, colors, dashed].filter((each) => each !== undefined).join(", ");
}

function row(text: string): string {
  return `<TR><TD>${text}</TD></TR>`;
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function markup(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
