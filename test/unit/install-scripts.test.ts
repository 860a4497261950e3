import * as fs from "node:fs";
import * as path from "node:path";

const PROJECT = path.resolve(__dirname, "../..");
const read = (file: string) => fs.readFileSync(path.join(PROJECT, file), "utf8");

interface Lock {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
}

/** Names of the packages that would run a script when they are installed. */
function withScripts(folder: string): string[] {
  const { packages } = JSON.parse(read(path.join(folder, "package-lock.json"))) as Lock;
  const found = Object.keys(packages).filter((place) => packages[place]?.hasInstallScript === true);
  return [...new Set(found.map((place) => place.split("node_modules/").at(-1) ?? ""))].sort();
}

test.each([".", "test/servers"])("npm 11 is told to run no install script of a package of %s", (folder) => {
  const { allowScripts } = JSON.parse(read(path.join(folder, "package.json"))) as { allowScripts: object };
  expect(allowScripts).toEqual(Object.fromEntries(withScripts(folder).map((name) => [name, false])));
});

test("npm 10, which knows no such list, is told so where we call it", () => {
  const files = [".ci/run", ".github/workflows/ci.yml", "package.json", "CONTRIBUTING.md"];
  const calls = files.flatMap((file) =>
    // In the text of a document it has a quote behind it.
    (read(file).match(/npm ci\b(?!`).*/g) ?? []).map((call) => ({ file, call })),
  );
  expect(new Set(calls.map(({ file }) => file))).toEqual(new Set(files));
  expect(calls.filter(({ call }) => !call.startsWith("npm ci --ignore-scripts"))).toEqual([]);
});
