import * as fs from "node:fs";
import * as path from "node:path";

export const PROJECT = path.resolve(__dirname, "../..");

/** A fenced block of a document. */
export interface Block {
  /** Of the fence: `sh`, `ts`, `json`. */
  readonly language: string;
  readonly text: string;
  /** Where its fence is, from 1. */
  readonly line: number;
  /** The file that the sentence before it names first, such as `main.ts`; undefined if it names none. */
  readonly file?: string;
  /** Whether that sentence says that the file gains it, before its last statement. */
  readonly added: boolean;
}

/** The fenced blocks of a Markdown document of ours, in their order. */
export function blocksOf(document: string): Block[] {
  const lines = fs.readFileSync(path.join(PROJECT, document), "utf8").split("\n");
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const indent = /^( *)```(\S*)/.exec(lines[at] ?? "");
    if (indent === null) continue;
    const end = lines.findIndex((line, index) => index > at && line.trim() === "```");
    if (end < 0) throw new Error(`${document}:${at + 1}: the block has no end`);
    const text = lines.slice(at + 1, end).map((line) => line.slice(indent[1]?.length ?? 0));
    const before = paragraphBefore(lines, at);
    blocks.push({
      language: indent[2] ?? "",
      text: text.join("\n") + "\n",
      line: at + 1,
      file: /^`([\w./-]+\.(?:ts|json|tf))`/.exec(before)?.[1],
      added: /^`[^`]*` gains/.test(before),
    });
    at = end;
  }
  return blocks;
}

function paragraphBefore(lines: readonly string[], at: number): string {
  const paragraph: string[] = [];
  for (let line = at - 2; line >= 0 && lines[line]?.trim() !== ""; line--)
    paragraph.unshift(lines[line] ?? "");
  return paragraph.join(" ").trim();
}
