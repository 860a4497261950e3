import { COLUMNS, type PictureNode } from "./drawing";
import { pictureOf } from "./picture";
import type { AccessReport } from "./report";

/** A flow chart as GitHub and others draw it: applications, what they read, whose rights that gives, and where. */
export function accessMermaid(report: AccessReport): string {
  const { nodes, edges } = pictureOf(report);
  const names = namesOf(nodes);
  const lines = ["flowchart LR"];
  for (const column of COLUMNS) {
    const own = nodes.filter((node) => node.column === column);
    if (own.length === 0) continue;
    lines.push(`  subgraph ${column.replaceAll(" ", "_")}["${column}"]`);
    lines.push(...own.map((node) => `    ${names.get(node.id)}["${labelOf(node)}"]${classOf(node)}`));
    lines.push("  end");
  }
  for (const { from, to, label } of edges) {
    const arrow = label === undefined ? "-->" : `-->|"${escape(label)}"|`;
    lines.push(`  ${names.get(from)} ${arrow} ${names.get(to)}`);
  }
  lines.push(
    "  classDef read fill:#e3f4ec,stroke:#1f7a4d,color:#111",
    "  classDef write fill:#fff1d6,stroke:#b26a00,color:#111",
    "  classDef own fill:#fde4e1,stroke:#b3261e,color:#111",
    "  classDef unknown fill:#eee,stroke:#555,color:#111,stroke-dasharray:4",
  );
  return `${lines.join("\n")}\n`;
}

function labelOf({ names, lines }: PictureNode): string {
  return [...names, ...lines].map(escape).join("<br/>");
}

function classOf({ strength, unknown }: PictureNode): string {
  const name = unknown === true ? "unknown" : strength;
  return name === undefined ? "" : `:::${name}`;
}

/** By their ids, not by number, so that one node more changes no other line. */
function namesOf(nodes: readonly PictureNode[]): Map<string, string> {
  const taken = new Map<string, string>();
  for (const { id } of nodes) {
    const wanted = id.replaceAll(/[^A-Za-z0-9]+/g, "_");
    let name = wanted;
    for (let n = 2; [...taken.values()].includes(name); n++) name = `${wanted}_${n}`;
    taken.set(id, name);
  }
  return taken;
}

/** A name of a server may have any character. */
function escape(text: string): string {
  return text.replaceAll(/[#"<>&`\\[\]{}|;]/g, (character) => `#${character.charCodeAt(0)};`);
}
