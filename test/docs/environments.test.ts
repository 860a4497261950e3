import * as fs from "node:fs";
import * as path from "node:path";
import { App, TerraformStack } from "cdktf";
import { accessMermaid, accessOf, accessTable } from "../../lib";
import type { CredentialsStack } from "../../stacks";

const PROJECT = path.resolve(__dirname, "../..");
const FOLDER = path.join(PROJECT, "docs/environments");
/** Writes the pages instead of comparing them. */
const UPDATE = process.env.UPDATE_DOCS === "1";

const EXAMPLES = fs
  .readdirSync(path.join(PROJECT, "examples"))
  .filter((name) => fs.existsSync(path.join(PROJECT, "examples", name, "cdktf.json")));

/** The stacks of an app as its main.ts declares them; nothing is written. */
function stacksOf(main: string): TerraformStack[] {
  const synth = jest.spyOn(App.prototype, "synth").mockImplementation();
  jest.requireActual(path.join(PROJECT, main));
  const [app] = synth.mock.contexts as App[];
  synth.mockRestore();
  return app!.node.children.filter((child) => TerraformStack.isStack(child));
}

function page(name: string, stack: TerraformStack, source: string): string {
  const report = accessOf(stack, ...((stack as Partial<CredentialsStack>).groups ?? []));
  return [
    `# Who may do what: ${name}`,
    "",
    `By what [\`${source}\`](../../${source}) declares, as \`vault-postgres access\` shows it;`,
    "see [operations](../operations.md#show-who-may-do-what). Written by a test: `UPDATE_DOCS=1 npx jest test/docs/environments`.",
    "",
    "```mermaid",
    accessMermaid(report).trimEnd(),
    "```",
    "",
    accessTable(report).trimEnd(),
    "",
  ].join("\n");
}

const environments = ["dev", "staging", "production"].map((name) => [name, "main.ts"] as const);
const examples = EXAMPLES.map((name) => [name, `examples/${name}/main.ts`] as const);

describe("docs/environments", () => {
  let app: TerraformStack[] | undefined;

  test.each([...environments, ...examples])("%s is what is declared now", (name, main) => {
    const stacks = main === "main.ts" ? (app ??= stacksOf(main)) : stacksOf(main);
    const stack = main === "main.ts" ? stacks.find(({ node }) => node.id === name) : stacks[0];
    const now = page(name, stack!, main);
    const file = path.join(FOLDER, `${name}.md`);
    if (UPDATE) fs.writeFileSync(file, now);
    // UPDATE_DOCS=1 writes what is declared.
    else expect(fs.readFileSync(file, "utf8")).toBe(now);
  });

  test("has no page of something else, and lists all", () => {
    const pages = [...environments, ...examples].map(([name]) => `${name}.md`);
    const found = fs.readdirSync(FOLDER).filter((name) => name !== "README.md");
    const listed = fs.readFileSync(path.join(FOLDER, "README.md"), "utf8").match(/(?<=\()[a-z-]+\.md(?=\))/g);
    expect(found.sort()).toEqual([...pages].sort());
    expect([...(listed ?? [])].sort()).toEqual([...pages].sort());
  });
});
