import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const PROJECT = path.resolve(__dirname, "../..");

/** Text of each page by its name. */
function pagesOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    fs
      .readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => fs.statSync(path.join(folder, name)).isFile())
      .sort()
      .map((name) => [name, fs.readFileSync(path.join(folder, name), "utf8")]),
  );
}

/** Types that are exported without a docstring of their own, by file. */
function undocumentedTypes(): string[] {
  return ["lib", "stacks"].flatMap((folder) =>
    fs
      .readdirSync(path.join(PROJECT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .flatMap((name) => {
        const lines = fs.readFileSync(path.join(PROJECT, folder, name), "utf8").split("\n");
        return lines
          .filter((line) => /^export (abstract )?(class|interface|type) \w/.test(line))
          .filter((line) => !lines[lines.indexOf(line) - 1]?.endsWith("*/"))
          .map((line) => `${folder}/${name}: ${line}`);
      }),
  );
}

describe("the API reference", () => {
  const fresh = fs.mkdtempSync(path.join(os.tmpdir(), "api-reference-"));
  afterAll(() => fs.rmSync(fresh, { recursive: true }));

  test("is what typedoc writes now, without a warning", () => {
    const typedoc = path.join(PROJECT, "node_modules/typedoc/bin/typedoc");
    // A warning fails it, as typedoc.json says, and is on standard output.
    execFileSync(process.execPath, [typedoc, "--out", fresh], { cwd: PROJECT, stdio: "pipe" });

    const now = pagesOf(fresh);
    const committed = pagesOf(path.join(PROJECT, "docs/api"));
    const stale = [...new Set([...Object.keys(now), ...Object.keys(committed)])].filter(
      (page) => now[page] !== committed[page],
    );
    expect(Object.keys(now)).toContain("vault.md");
    expect({ stale, remedy: "npm run docs" }).toEqual({ stale: [], remedy: "npm run docs" });
  }, 120_000);

  test("has no path of the machine that wrote it", () => {
    const text = Object.values(pagesOf(path.join(PROJECT, "docs/api"))).join("\n");
    expect(text).not.toContain(PROJECT);
    expect(text).not.toContain("node_modules");
  });

  // Typedoc takes the docstring of an interface that is extended for one of its own.
  test("documents each type that is exported", () => {
    expect(undocumentedTypes()).toEqual([]);
  });
});
