import * as fs from "node:fs";
import * as path from "node:path";

const PROJECT = path.resolve(__dirname, "../..");
const read = (file: string) => fs.readFileSync(path.join(PROJECT, file), "utf8");
const exists = (file: string) => fs.existsSync(path.join(PROJECT, file));

const CONTRIBUTING = read("CONTRIBUTING.md");
const TEMPLATE = read(".github/pull_request_template.md");

/** Code in backticks: `like this`. */
const codeOf = (text: string) =>
  [...text.replace(/^```.*?^```/gms, "").matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");

describe("CONTRIBUTING.md", () => {
  test("links to files that are there", () => {
    const links = [...CONTRIBUTING.matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)].map((match) => match[1] ?? "");
    expect(links.length).toBeGreaterThan(40);
    expect(links.filter((link) => !exists(link))).toEqual([]);
  });

  test("calls a link by the name of its file", () => {
    const named = [...CONTRIBUTING.matchAll(/\[`([\w.-]+\.\w+)`\]\(([^)#:]+)\)/g)];
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter(([, name, link]) => path.basename(link ?? "") !== name).map(([all]) => all)).toEqual(
      [],
    );
  });

  test("names files and folders that are there", () => {
    const paths = codeOf(CONTRIBUTING).filter((code) =>
      /^(lib|stacks|cli|sandbox|examples|test|docs)\/[\w./-]*$/.test(code),
    );
    expect(paths.length).toBeGreaterThan(15);
    expect(paths.filter((name) => !exists(name) && !exists(`${name}.ts`))).toEqual([]);
  });

  test("names functions and types that the code has", () => {
    expect(read("lib/statements/postgres-revocation.ts")).toContain("function drainingRevocation(");
    expect(read("test/security/fixture.ts")).toMatch(/export type Mode = .*export const MODES/s);
    expect(read("sandbox/providers/vault/connection-engines.ts")).toContain("serves: [");
  });
});

test("CONTRIBUTING.md and the template for pull requests run scripts that package.json has", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const run = [...`${CONTRIBUTING}\n${TEMPLATE}`.matchAll(/npm run ([\w:-]+)/g)].map(
    (match) => match[1] ?? "",
  );
  expect(run).toContain("docs");
  expect([...new Set(run)].filter((name) => scripts[name] === undefined)).toEqual([]);
});
