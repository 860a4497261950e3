import * as fs from "node:fs";
import { accessDot, accessMermaid, accessTable, type AccessReport } from "../../lib";
import { accessOfApp, type StackAccess } from "../app-access";
import { UserError } from "../errors";
import { ExitCode } from "../exit-code";
import { listed } from "../text";
import type { Command } from "./command";

type Format = "table" | "mermaid" | "svg" | "json";

const FORMATS: readonly Format[] = ["table", "mermaid", "svg", "json"];
const TABLE: Format = "table";
const NONE: readonly string[] = [];

interface AccessArguments {
  readonly environments: readonly string[];
  readonly format: Format;
  readonly json: boolean;
  readonly "output-file"?: string;
}

export const access: Command<AccessArguments> = {
  usage: "access [environments..]",
  summary: "shows who may do what, by what is declared",
  description:
    "Who may read which role, which base role its users join, and what that may do where: by the constructs of the app in " +
    "this folder, which is synthesized for it. Asks no server, and needs no variable but those of the app. What others have " +
    "given on the servers is not in it, nor are resources that are declared without this package.",
  examples: [
    ["access dev", "as tables"],
    ["access dev --format mermaid", "as a flow chart for a document"],
    ["access dev --format svg --output-file access.svg", "as a picture"],
  ],
  undeployed: true,
  declare: (parser) =>
    parser
      .positional("environments", {
        type: "string",
        array: true,
        default: NONE,
        describe: "names of environments or other stacks; groups are part of theirs [all]",
      })
      .option("format", {
        choices: FORMATS,
        default: TABLE,
        requiresArg: true,
        describe: "how to show it; tables are Markdown",
      })
      .option("json", { type: "boolean", default: false, describe: "the same as --format json" })
      .option("output-file", { type: "string", requiresArg: true, describe: "file to write it to" }),

  async run(args, shell) {
    const format = args.json ? "json" : args.format;
    const text = await render(format, chosen(await accessOfApp(shell.env), args.environments, format));
    if (args["output-file"] === undefined) {
      shell.print(text.trimEnd());
    } else {
      writeTo(args["output-file"], `${text.trimEnd()}\n`);
      shell.note(`Written to ${args["output-file"]}.`);
    }
    return ExitCode.ok;
  },
};

/** The stacks that are asked for; a picture shows one. */
function chosen(
  found: readonly StackAccess[],
  wanted: readonly string[],
  format: Format,
): readonly StackAccess[] {
  const names = found.map(({ stack }) => stack);
  const missing = wanted.find((name) => !names.includes(name));
  if (missing !== undefined) {
    throw new UserError(`There is no stack "${missing}" in this app.`, `There are ${listed(names)}.`);
  }
  const ofGroups = new Set(found.flatMap(({ groups }) => groups));
  const stacks = found.filter(({ stack }) =>
    wanted.length > 0 ? wanted.includes(stack) : !ofGroups.has(stack),
  );
  if (stacks.length > 1 && (format === "mermaid" || format === "svg")) {
    throw new UserError(`--format ${format} shows one environment.`, `Name one of ${listed(names)}.`);
  }
  return stacks;
}

async function render(format: Format, stacks: readonly StackAccess[]): Promise<string> {
  const [first] = stacks;
  const only = stacks.length === 1 ? first?.report : undefined;
  switch (format) {
    case "table":
      if (only !== undefined) return accessTable(only);
      return stacks.map(({ stack, report }) => `# ${stack}\n\n${accessTable(report)}`).join("\n");
    case "mermaid":
      return accessMermaid(first!.report);
    case "svg":
      return accessSvg(first!.report);
    case "json": {
      const all = Object.fromEntries(stacks.map(({ stack, report }) => [stack, report]));
      return JSON.stringify(only ?? all, null, 2);
    }
  }
}

/** Whichever of these a machine has, letters are as wide as Graphviz takes them for. */
const FONTS = "ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace";

/** Draws the picture. */
export async function accessSvg(report: AccessReport): Promise<string> {
  // Graphviz takes a while to load, and no other command needs it.
  const { instance } = await import("@viz-js/viz");
  const svg = (await instance()).renderString(accessDot(report), { format: "svg" });
  return svg.replaceAll('font-family="Courier"', `font-family="${FONTS}"`);
}

function writeTo(file: string, text: string): void {
  try {
    fs.writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`${file} cannot be written: ${(error as Error).message}`);
  }
}
