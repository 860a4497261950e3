import { QUERIES } from "../../cli/footholds/look";
import { Revocation } from "../../lib";
import {
  assumingCreation,
  drainingRevocation,
  membershipCreation,
  renewal,
  rotation,
  terminatingRevocation,
} from "../../lib/statements";
import { sqlFiles, sqlOfDocuments, sqlOfSources, type EmittedSql } from "../security/emitted-sql";
import { lookups } from "../security/sql-lint";

/** What is left to search_path, as `cli/database-users.ts:38: operator =`. */
function complaints(emitted: readonly EmittedSql[]): string[] {
  return emitted.flatMap(({ file, line, sql }) =>
    lookups(sql, { line }).map((found) => `${file}:${found.line}: ${found.kind} ${found.text}`),
  );
}

// Whoever may create something in a schema of a search_path could have it found in place of PostgreSQL's own.
describe("SQL of ours leaves nothing to search_path", () => {
  it.each(["cli", "sandbox", "lib", "stacks", "examples/shared"])("in the sources of %s", (folder) => {
    const emitted = sqlOfSources(folder);
    // Guards the search itself.
    if (folder === "cli" || folder === "sandbox") expect(emitted.length).toBeGreaterThan(15);
    expect(complaints(emitted)).toEqual([]);
  });

  it("in the files that users run", () => {
    const files = sqlFiles("docs/rights", "examples");
    expect(files.map(({ file }) => file)).toContain("docs/rights/postgres-login.sql");
    expect(complaints(files)).toEqual([]);
  });

  it("in what documents have an administrator run", () => {
    const documented = sqlOfDocuments("README.md", "SECURITY.md", "docs/");
    expect(documented.length).toBeGreaterThan(10);
    expect(complaints(documented)).toEqual([]);
  });

  it("in what the command looks for in a database", () => {
    expect(QUERIES.length).toBeGreaterThan(10);
    expect(complaints(QUERIES.map(({ subject, sql }) => ({ file: subject, line: 1, sql })))).toEqual([]);
  });

  const drain = Revocation.drain();
  it.each<[name: string, statements: readonly string[]]>([
    ["membershipCreation", membershipCreation("base")],
    ["assumingCreation", assumingCreation("base")],
    ["renewal", renewal()],
    ["rotation", rotation()],
    ["terminatingRevocation", terminatingRevocation("base")],
    ["terminatingRevocation to the engine's login", terminatingRevocation()],
    ["drainingRevocation", drainingRevocation("base")],
    ["Revocation.drain", Object.values(drain.statementsFor("base", "read-write")).flat()],
    ["Revocation.terminate", Object.values(Revocation.terminate().statementsFor("base", "owner")).flat()],
  ])("in what the engine runs: %s", (name, statements) => {
    expect(complaints(statements.map((sql) => ({ file: name, line: 1, sql })))).toEqual([]);
  });
});
