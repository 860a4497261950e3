import * as fs from "node:fs";
import * as path from "node:path";
import * as ts from "typescript";
import { PLACEHOLDER } from "./sql-tokens";

/** SQL that stands in a file. */
export interface EmittedSql {
  readonly file: string;
  readonly line: number;
  readonly sql: string;
}

const PROJECT = path.resolve(__dirname, "../..");

/** A statement, or a piece of one: our SQL has its keywords in capitals. */
const STATEMENT =
  /^\s*(SELECT|WITH \w+|INSERT INTO|UPDATE|DELETE FROM|GRANT|REVOKE|CREATE|ALTER|DROP|DO|SET|BEGIN|COMMIT|REASSIGN|TRUNCATE|LOCK|COPY|VALUES|CALL|PERFORM|EXECUTE)\b(?!:)/;
const PIECE =
  /\b(FROM|WHERE|JOIN|AND|OR|PERFORM|EXISTS)\b[^.]*\b(pg_\w+|\w+\()|\bpg_catalog\.|::(text|name|oid|reg\w+)\b/;

/** SQL for MySQL looks nothing up by a path; SQL that is put together from many parts is looked at as it is sent. */
const NOT_READ = /mysql|mariadb|cli\/footholds|lib\/statements/;

/** The string and template literals of source files that are PostgreSQL's SQL; what is put into a template is left out. */
export function sqlOfSources(...folders: readonly string[]): EmittedSql[] {
  return filesBelow(folders, ".ts").flatMap((file) => {
    const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true);
    const found: EmittedSql[] = [];
    const visit = (node: ts.Node): void => {
      const sql = literalOf(node);
      if (sql !== undefined && (STATEMENT.test(sql) || PIECE.test(sql))) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        found.push({ file, line: line + 1, sql });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  });
}

/** Whole files of SQL. */
export function sqlFiles(...folders: readonly string[]): EmittedSql[] {
  return filesBelow(folders, ".sql").map((file) => ({ file, line: 1, sql: read(file) }));
}

/** Statements that documents have an administrator of PostgreSQL run: blocks of SQL, and queries within a line. */
export function sqlOfDocuments(...files: readonly string[]): EmittedSql[] {
  return files
    .flatMap((file) => (file.endsWith("/") ? filesBelow([file], ".md") : [file]))
    .flatMap((file) => {
      const text = read(file);
      const blocks = text.matchAll(/^ *```sql\n(.*?)^ *```/gms);
      const queries = text.matchAll(/`((?:SELECT|WITH) [^`\n]*)`/g);
      return [...blocks, ...queries].map((match) => ({
        file,
        line: text.slice(0, match.index).split("\n").length,
        sql: (match[1] ?? "").replaceAll("…", PLACEHOLDER),
      }));
    });
}

function literalOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => PLACEHOLDER + literal.text).join("");
}

function filesBelow(folders: readonly string[], extension: string): string[] {
  return folders
    .flatMap((folder) =>
      fs
        .readdirSync(path.join(PROJECT, folder), { recursive: true, encoding: "utf8" })
        .map((name) => path.join(folder, name)),
    )
    .filter((file) => file.endsWith(extension) && !file.includes("node_modules") && !NOT_READ.test(file))
    .sort();
}

function read(file: string): string {
  return fs.readFileSync(path.join(PROJECT, file), "utf8");
}
