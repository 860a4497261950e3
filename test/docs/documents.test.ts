import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import ts from "typescript";
import { FINDING_KINDS } from "../../cli/finding";
import { blocksOf, PROJECT, type Block } from "./blocks";

/** The documents whose commands a test runs in their order, and that test. */
const FOLLOWED: Readonly<Record<string, string>> = {
  "README.md": "test/docs/commands.test.ts",
  "docs/operations.md": "test/docs/commands.test.ts",
  "docs/recovery.md": "test/docs/commands.test.ts",
  "docs/getting-started.md": "test/docs/getting-started.test.ts",
  "docs/migrating.md": "test/docs/migrating.test.ts",
  "docs/groups.md": "test/docs/groups.test.ts",
  "docs/mysql.md": "test/security/mysql-revocation.test.ts",
  "docs/troubleshooting.md": "test/e2e/operator-status.test.ts",
  // Its first block is what .ci/run does; the others are how to run the tests.
  "CONTRIBUTING.md": "test/repository/contributing.test.ts",
  "docs/performance.md": "test/bench/smoke.test.ts",
  "examples/dashboard-with-fallback/README.md": "test/e2e/dashboard.test.ts",
  "examples/django-consul-template/README.md": "test/e2e/django.test.ts",
  "examples/dynamic-and-static/README.md": "test/e2e/static.test.ts",
  "examples/ecto-agent/README.md": "test/e2e/agent.test.ts",
  "examples/sidecar-groups/README.md": "test/e2e/sidecar-groups.test.ts",
};

const inProject = (...folders: string[]) =>
  fs
    .readdirSync(path.join(PROJECT, ...folders), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
    .map((name) => path.join(...folders, name));
const documents = [
  ...fs.readdirSync(PROJECT).filter((name) => name.endsWith(".md")),
  ...inProject("docs").filter((name) => !name.startsWith(path.join("docs", "api"))),
  ...inProject("examples"),
].sort();

describe("the documents", () => {
  test("have commands where a test runs them", () => {
    const told = documents.filter((document) =>
      blocksOf(document).some(({ language }) => ["sh", "sql", "hcl"].includes(language)),
    );
    expect(told).toEqual(Object.keys(FOLLOWED).sort());
    for (const test of Object.values(FOLLOWED)) expect(fs.existsSync(path.join(PROJECT, test))).toBe(true);
  });

  test("have blocks of these languages only", () => {
    const languages = documents.flatMap((document) => blocksOf(document).map(({ language }) => language));
    expect([...new Set(languages)].sort()).toEqual(["hcl", "json", "mermaid", "sh", "sql", "ts"]);
  });

  test.each(documents)("%s links to what is there", (document) => {
    const text = fs.readFileSync(path.join(PROJECT, document), "utf8").replaceAll(/```[^]*?```/g, "");
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
    const dead = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [target = "", anchor] = link.split("#");
      const file = target === "" ? document : path.join(path.dirname(document), target);
      if (!fs.existsSync(path.join(PROJECT, file))) return true;
      return anchor !== undefined && !anchorsOf(file).has(anchor);
    });
    expect(dead).toEqual([]);
  });

  test.each(documents)("%s has shell that bash can read, and JSON that is some", (document) => {
    for (const { language, text } of blocksOf(document)) {
      if (language === "sh") execFileSync("bash", ["-n"], { input: text, stdio: ["pipe", "pipe", "pipe"] });
      if (language === "json") JSON.parse(text);
    }
  });

  test("tell of each kind of finding that status prints, what it means and what to do, and of no other", () => {
    const text = fs.readFileSync(path.join(PROJECT, "docs/operations.md"), "utf8");
    const table = /^\| amiss .*\n\|[-| ]*\n((?:\|.*\n)+)/m.exec(text)?.[1] ?? "";
    const rows = table.trimEnd().split("\n");
    const told = rows.map((row) => row.split("|").slice(1, -1)).map((row) => row.map((cell) => cell.trim()));
    expect(told.filter((row) => row.length !== 3 || row.includes(""))).toEqual([]);
    const kinds = new Set(told.map(([kind = ""]) => kind.replaceAll(" ", "-")));
    expect([...kinds].sort()).toEqual([...FINDING_KINDS].sort());
  });

  test("have examples whose types are right", () => {
    const programs = documents.flatMap((document) => programsOf(document));
    expect(programs.length).toBeGreaterThan(5);
    expect(problemsOf(programs)).toEqual([]);
  }, 120_000);
});

/** What GitHub makes of the headings. */
function anchorsOf(document: string): Set<string> {
  const text = fs.readFileSync(path.join(PROJECT, document), "utf8");
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map((match) => match[1] ?? "");
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

interface Program {
  /** As if it stood beside main.ts. */
  readonly file: string;
  readonly text: string;
}

/** The programs of a document: a block that another one gains is a part of that. */
function programsOf(document: string): Program[] {
  const programs: { block: Block; text: string }[] = [];
  for (const block of blocksOf(document).filter(({ language }) => language === "ts")) {
    const gained = block.added
      ? programs.findLast((program) => program.block.file === block.file)
      : undefined;
    if (gained === undefined) programs.push({ block, text: block.text });
    else gained.text = gained.text.replace(/^app\.synth\(\);$/m, `${block.text}app.synth();`);
  }
  return programs.map(({ block, text }) => ({
    file: path.join(PROJECT, `${document.replaceAll(/\W/g, "-")}-${block.line}.ts`),
    // The package is found by its name once it is installed, which test/package sees to.
    text: text
      .replaceAll('"cdktf-database-credentials"', '"./lib"')
      .replaceAll('"cdktf-database-credentials/stacks"', '"./stacks"'),
  }));
}

/** What TypeScript says of programs, by their file and line. */
function problemsOf(programs: readonly Program[]): string[] {
  const { config } = ts.readConfigFile(path.join(PROJECT, "tsconfig.json"), (file) =>
    ts.sys.readFile(file),
  ) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, PROJECT);
  const texts = new Map(programs.map(({ file, text }) => [file, text]));
  const host = ts.createCompilerHost(options);
  const readFile = (name: string) => texts.get(name) ?? ts.sys.readFile(name);
  const program = ts.createProgram([...texts.keys()], options, {
    ...host,
    fileExists: (name) => texts.has(name) || ts.sys.fileExists(name),
    readFile,
    getSourceFile: (name, target) => {
      const text = readFile(name);
      return text === undefined ? undefined : ts.createSourceFile(name, text, target);
    },
  });
  return [...texts.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (problem) => `${path.basename(file)}: ${ts.flattenDiagnosticMessageText(problem.messageText, "\n")}`,
    );
  });
}
