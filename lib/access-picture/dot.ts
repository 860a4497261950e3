import { COLUMNS, pictureOf, type PictureNode } from "./picture";
import type { AccessReport } from "./report";
import type { Strength } from "./words";

const STROKE: Readonly<Record<Strength, string>> = { read: "#1f7a4d", write: "#b26a00", own: "#b3261e" };
const FILL: Readonly<Record<Strength, string>> = { read: "#e3f4ec", write: "#fff1d6", own: "#fde4e1" };

/** The same picture in the language of Graphviz, for SVG. */
export function accessDot(report: AccessReport): string {
  const { nodes, edges } = pictureOf(report);
  const font = 'fontname="Helvetica,Arial,sans-serif"';
  const lines = [
    "digraph access {",
    `  graph [rankdir=LR, nodesep=0.12, ranksep=1.1, ${font}, fontsize=13, fontcolor="#555555", pad=0.3]`,
    `  node [shape=box, style="filled,rounded", fillcolor="#ffffff", color="#777777", ${font}, fontsize=12, margin="0.12,0.06", height=0.3]`,
    `  edge [color="#777777", ${font}, fontsize=10, arrowsize=0.6]`,
  ];
  COLUMNS.forEach((column, index) => {
    const own = nodes.filter((node) => node.column === column);
    if (own.length === 0) return;
    lines.push(
      `  subgraph cluster_${index} {`,
      `    label="${column}"; color="#dddddd"; style=rounded; rank=same`,
    );
    lines.push(...own.map((node) => `    ${quoted(node.id)} [${attributesOf(node)}]`), "  }");
  });
  for (const { from, to, label, strength } of edges) {
    const color = strength && `color="${STROKE[strength]}", fontcolor="${STROKE[strength]}", penwidth=1.4`;
    const text = label && `label=${quoted(label)}`;
    const given = [color, text].filter((each) => each !== undefined);
    lines.push(`  ${quoted(from)} -> ${quoted(to)} [${given.join(", ")}]`);
  }
  return `${[...lines, "}"].join("\n")}\n`;
}

function attributesOf({ names, lines, strength, unknown }: PictureNode): string {
  const bold = names.map((name) => `<B>${markup(name)}</B>`);
  const small = lines.map((line) => `<FONT POINT-SIZE="10" COLOR="#444444">${markup(line)}</FONT>`);
  const label = `label=<${[...bold, ...small].join("<BR/>")}>`;
  const colors = strength && `fillcolor="${FILL[strength]}", color="${STROKE[strength]}"`;
  const dashed = unknown === true ? 'style="filled,rounded,dashed", fillcolor="#eeeeee"' : undefined;
  return [label, colors, dashed].filter((each) => each !== undefined).join(", ");
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function markup(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
