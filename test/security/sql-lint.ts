import { KEYWORD_TYPES, KNOWN_TYPES, LOOK_UP_FUNCTIONS, NAME_TYPES, NO_FUNCTIONS } from "./sql-words";
import { PLACEHOLDER, tokens, type Token } from "./sql-tokens";

/** What PostgreSQL would look up by `search_path`, and so could find what somebody else has made. */
export interface Lookup {
  readonly kind:
    | "operator"
    /** Syntax that stands for operators, and has no form that names their schema. */
    | "hidden operator"
    | "cast"
    | "type"
    | "function"
    | "relation"
    | "collation"
    /** A name in a string that PostgreSQL looks up, such as `'pg_authid'::pg_catalog.regclass`. */
    | "name in a string";
  readonly text: string;
  readonly line: number;
}

interface Options {
  /** Whether the text is the body of a block of PL/pgSQL. */
  readonly plpgsql?: boolean;
  /** Line that the text begins in. */
  readonly line?: number;
}

/**
 * Lists what SQL leaves to `search_path`: operators, casts, types, functions, relations, collations. Blocks of PL/pgSQL,
 * bodies of functions, and strings that are executed are looked into.
 *
 * It knows the SQL that this project writes, and rather reports too much than too little.
 */
export function lookups(sql: string, { plpgsql = false, line = 1 }: Options = {}): Lookup[] {
  return segments(tokens(sql), plpgsql)
    .flatMap((segment) => new Segment(segment, plpgsql).lookups())
    .map((found) => ({ ...found, line: found.line + line - 1 }));
}

const is = (token: Token | undefined, ...words: readonly string[]) =>
  token?.word !== undefined && words.includes(token.word);

/** Statements; in PL/pgSQL also what stands before THEN, LOOP and the like. */
function segments(all: readonly Token[], plpgsql: boolean): Token[][] {
  const found: Token[][] = [[]];
  let cases = 0;
  let depth = 0;
  all.forEach((token, index) => {
    const isEndOf = is(all[index - 1], "END");
    if (is(token, "CASE") && !isEndOf) cases++;
    else if (is(token, "END") && cases > 0) cases--;
    depth += token.text === "(" ? 1 : token.text === ")" ? -1 : 0;
    if (token.text === ";" && depth <= 0) {
      cases = depth = 0;
      found.push([]);
      return;
    }
    found.at(-1)?.push(token);
    if (plpgsql && cases === 0 && is(token, "BEGIN", "DECLARE", "THEN", "ELSE", "LOOP") && !isEndOf) {
      found.push([]);
    }
  });
  // Declarations follow each other, each up to its semicolon.
  let declares = false;
  return found
    .map((segment) => {
      const inDeclarations = declares;
      if (is(segment.at(-1), "DECLARE")) declares = true;
      if (is(segment.at(-1), "BEGIN")) declares = false;
      return plpgsql && inDeclarations && segment.length > 1 ? declaration(segment) : segment;
    })
    .filter((segment) => segment.length > 0);
}

/** Marks the type of a variable as one: `found boolean := false` is read as `found :: boolean := false`. */
function declaration(segment: Token[]): Token[] {
  const at = is(segment[1], "CONSTANT") ? 2 : 1;
  if (is(segment[at], "CURSOR", "ALIAS") || segment[at + 1]?.text === "%") return segment;
  const colons: Token = { kind: "punctuation", text: "::", line: segment[0]!.line };
  return [...segment.slice(0, at), colons, ...segment.slice(at)];
}

/** Statements that look nothing up but what they name after ON, TABLE and the like. */
const UTILITY =
  /^(GRANT|REVOKE|SET|RESET|SHOW|COMMIT|ROLLBACK|BEGIN|START|END|SAVEPOINT|RELEASE|REASSIGN|DISCARD|NOTIFY|LISTEN|CHECKPOINT|ALTER (ROLE|USER|GROUP|DATABASE|SYSTEM|SCHEMA|DEFAULT|EXTENSION)|CREATE (ROLE|USER|GROUP|DATABASE|SCHEMA|EXTENSION)|DROP (ROLE|USER|GROUP|OWNED|DATABASE|SCHEMA|EXTENSION)|COMMENT ON (ROLE|DATABASE|SCHEMA))\b/;

/** Words after which a name is that of a relation. */
const BEFORE_RELATION = ["FROM", "JOIN", "INTO", "UPDATE", "TABLE", "TRUNCATE", "COPY", "VIEW", "SEQUENCE"];
const SKIPPED_BEFORE_RELATION = ["ONLY", "LATERAL", "IF", "NOT", "EXISTS", "TABLE", "CONCURRENTLY"];
const ENDS_FROM =
  "WHERE GROUP HAVING ORDER LIMIT OFFSET FETCH FOR UNION EXCEPT INTERSECT WINDOW RETURNING SET LOOP THEN ON SELECT".split(
    " ",
  );
/** Parentheses of the grammar in which FROM and IN mean something else. */
const WITH_FROM = ["EXTRACT", "SUBSTRING", "TRIM", "OVERLAY", "POSITION"];

class Segment {
  private readonly found: Lookup[] = [];
  private readonly isUtility: boolean;
  private readonly isTemporary: boolean;
  private readonly ctes: ReadonlySet<string>;
  /** The word before each open parenthesis, and whether a list of relations is being read in it. */
  private readonly scopes: { opener: string; inFrom: boolean; joins: boolean }[] = [
    { opener: "", inFrom: false, joins: false },
  ];

  constructor(
    private readonly all: readonly Token[],
    private readonly plpgsql: boolean,
  ) {
    const start = all.slice(0, 8).map(({ word = "?" }) => word);
    this.isUtility = UTILITY.test(start.join(" "));
    this.isTemporary = start[0] === "CREATE" && (start.includes("TEMPORARY") || start.includes("TEMP"));
    this.ctes = commonTables(all);
  }

  lookups(): Lookup[] {
    if (is(this.all[0], "GRANT", "REVOKE")) this.grant();
    else this.all.forEach((token, index) => this.look(token, index));
    this.bodies();
    return this.found;
  }

  private look(token: Token, index: number): void {
    const before = this.all[index - 1];
    const after = this.all[index + 1];
    const scope = this.scopes.at(-1)!;
    if (token.text === "(") {
      // A parenthesis of joins, FROM (a JOIN b …), reads relations as well.
      const inFrom = this.expectsRelation(index) && !is(after, "SELECT", "VALUES", "WITH", "TABLE");
      this.scopes.push({ opener: before?.word ?? "", inFrom, joins: false });
    } else if (token.text === ")" && this.scopes.length > 1) this.scopes.pop();
    else if (token.kind === "operator") this.operator(token, index);
    else if (token.text === "::") this.type(after, "cast");
    else if (token.kind === "string") this.string(token, index);
    if (token.kind !== "name") return;
    if (is(token, "FROM") && !WITH_FROM.includes(scope.opener) && !is(before, "DISTINCT"))
      scope.inFrom = true;
    else if (is(token, ...ENDS_FROM)) scope.inFrom = is(token, "ON") && scope.joins;
    if (is(token, "JOIN")) scope.joins = scope.inFrom = true;
    this.syntax(token, index);
    this.name(token, index);
  }

  private operator(token: Token, index: number): void {
    if (this.isUtility || token.text === "=>") return;
    const [before, two, three] = [1, 2, 3].map((back) => this.all[index - back]);
    const after = this.all[index + 1];
    if (before?.text === "." && is(three, "OPERATOR")) return;
    if (before?.text === "." && this.all[index - 3]?.text === "(" && is(this.all[index - 4], "OPERATOR")) {
      if (two?.parts?.[0] === "pg_catalog") return;
    }
    if (token.text === "*" && (before?.text === "." || this.isStar(before))) return;
    if (/^[-+]$/.test(token.text) && after?.kind === "number" && !isOperand(before)) return;
    if (token.text === "%" && is(after, "TYPE", "ROWTYPE")) return;
    if ((token.text === "<<" && index === 0) || (token.text === ">>" && this.all[index - 2]?.text === "<<"))
      return;
    if (token.text === "=" && this.isAssignment(index)) return;
    this.add("operator", token);
  }

  private isStar(before: Token | undefined): boolean {
    return (
      before === undefined ||
      ["(", ","].includes(before.text) ||
      is(before, "SELECT", "DISTINCT", "RETURNING")
    );
  }

  private isAssignment(index: number): boolean {
    const before = this.all[index - 2];
    if (index === 1 && this.plpgsql) return true;
    if (is(before, "SET", "DIAGNOSTICS", "STACKED", "LOCAL", "SESSION")) return true;
    if (is(before, "USING") || before?.text === ",") {
      if (is(this.all[0], "RAISE", "GET")) return true;
    }
    const scope = this.scopes.at(-1)!;
    if (before?.text === "(" || before?.text === ",") {
      // WITH (fillfactor = 70), and UPDATE … SET a = 1, b = 2.
      if (scope.opener === "WITH") return true;
      const clause = this.all
        .slice(0, index)
        .findLast((token) => is(token, "SET", "WHERE", "FROM", "SELECT", "VALUES"));
      return before.text === "," && scope.opener === "" && is(clause, "SET");
    }
    return false;
  }

  /** A type where one has to stand. */
  private type(token: Token | undefined, kind: "cast" | "type"): void {
    if (token?.kind !== "name" || (token.parts?.length ?? 0) > 1 || is(token, ...KEYWORD_TYPES)) return;
    this.add(kind, token);
  }

  private string(token: Token, index: number): void {
    const type = this.all[index + 1]?.text === "::" ? this.all[index + 2] : undefined;
    const cast = type?.parts?.at(-1) ?? "";
    const called = this.all[index - 1]?.text === "(" ? (this.all[index - 2]?.parts?.at(-1) ?? "") : "";
    const value = token.value ?? "";
    if (!NAME_TYPES.includes(cast) && !LOOK_UP_FUNCTIONS.includes(called)) return;
    if (!value.includes(".") && !value.includes(PLACEHOLDER)) this.add("name in a string", token);
  }

  private syntax(token: Token, index: number): void {
    if (this.isUtility) return;
    const before = this.all[index - 1];
    const after = this.all[index + 1];
    const scope = this.scopes.at(-1)!;
    const hidden = () => this.add("hidden operator", token);
    if (is(token, "IN") && after?.text === "(") {
      const inLoop = this.plpgsql && is(this.all[0], "FOR", "FOREACH") && index <= 2;
      if (!inLoop && scope.opener !== "POSITION") hidden();
    } else if (is(token, "BETWEEN") && !is(before, "ROWS", "RANGE", "GROUPS")) hidden();
    else if (is(token, "LIKE", "ILIKE") && before?.text !== "(") hidden();
    else if (is(token, "SIMILAR") && is(after, "TO")) hidden();
    else if (is(token, "CASE") && !is(after, "WHEN") && !is(before, "END")) hidden();
    else if (is(token, "DISTINCT") && is(after, "FROM")) hidden();
    else if (is(token, "NULLIF", "NATURAL")) hidden();
    else if (is(token, "USING") && after?.text === "(" && scope.joins) hidden();
    else if (is(token, "ANY", "ALL", "SOME") && after?.text === "(" && !this.followsOperator(index)) hidden();
    else if (is(token, "COLLATE") && after?.parts?.length === 1) this.add("collation", after);
    else if (is(token, "AS") && scope.opener === "CAST") this.type(after, "cast");
    else if (is(token, "RETURNS", "SETOF") && !is(after, "TABLE", "SETOF", "NULL")) this.type(after, "type");
  }

  /** An operator before ANY is looked at by itself. */
  private followsOperator(index: number): boolean {
    const before = this.all[index - 1];
    return before?.kind === "operator" || (before?.text === ")" && this.all[index - 3]?.text === ".");
  }

  private name(token: Token, index: number): void {
    if ((token.parts?.length ?? 0) > 1) return;
    const before = this.all[index - 1];
    const after = this.all[index + 1];
    if (before?.text === "." || before?.text === "::" || after?.text === ".") return;
    if (is(token, ...KNOWN_TYPES) && (after?.kind === "string" || isPlainName(before))) {
      return this.add(after?.kind === "string" ? "cast" : "type", token);
    }
    if (this.expectsRelation(index)) {
      const isFunction = after?.text === "(" && !this.isNewRelation(index);
      if (isFunction || this.isTemporary || is(token, ...NO_FUNCTIONS)) {
        if (isFunction && !is(token, ...NO_FUNCTIONS)) this.add("function", token);
      } else if (!this.ctes.has(token.parts![0]!)) this.add("relation", token);
      return;
    }
    if (after?.text !== "(" || this.isUtility || is(token, ...NO_FUNCTIONS, ...KEYWORD_TYPES)) return;
    // An alias with its columns, a common table, the name of a window.
    if (isOperand(before) || is(before, "AS", "WITH", "RECURSIVE", "OVER", "CONSTRAINT")) return;
    if (this.ctes.has(token.parts![0]!)) return;
    this.add("function", token);
  }

  private expectsRelation(index: number): boolean {
    if (this.isUtility) return false;
    let at = index - 1;
    while (is(this.all[at], ...SKIPPED_BEFORE_RELATION) && !is(this.all[at - 1], "RETURNS")) at--;
    const before = this.all[at];
    if (is(this.all[at + 1], "TABLE")) {
      const verbs = ["CREATE", "ALTER", "DROP", "LOCK", "TEMPORARY", "UNLOGGED"];
      if (before === undefined || before.text === "(" || is(before, ...verbs)) return true;
    }
    const scope = this.scopes.at(-1)!;
    if (is(before, "FROM")) return scope.inFrom && !is(this.all[0], "COPY", "FETCH");
    // In PL/pgSQL, SELECT … INTO names variables.
    if (is(before, "INTO"))
      return is(this.all[at - 1], "INSERT", "MERGE") || (!this.plpgsql && scope.opener === "");
    if (is(before, "UPDATE"))
      return !is(this.all[at - 1], "FOR", "ON", "DO", "KEY", "OR", "BEFORE", "AFTER", "SHARE");
    if (is(before, "ON"))
      return is(this.all[0], "CREATE") && this.all.some((one) => is(one, "INDEX", "TRIGGER", "POLICY"));
    if ((before?.text === "," || before?.text === "(") && scope.inFrom) return true;
    return is(before, ...BEFORE_RELATION) && !(is(before, "TABLE") && is(this.all[at - 1], "RETURNS"));
  }

  /** `CREATE TABLE t (`, `INSERT INTO t (`: a parenthesis of columns. */
  private isNewRelation(index: number): boolean {
    let at = index - 1;
    while (is(this.all[at], "IF", "NOT", "EXISTS", "ONLY")) at--;
    return is(this.all[at], "TABLE", "INTO", "ON", "VIEW", "COPY", "UPDATE");
  }

  /** GRANT … ON t, FUNCTION f(text) TO x. */
  private grant(): void {
    const from = this.all.findIndex((token) => is(token, "ON"));
    const to = this.all.findIndex((token, index) => index > from && is(token, "TO", "FROM"));
    if (from === -1) return;
    const target = this.all.slice(from + 1, to === -1 ? undefined : to);
    if (is(target[0], "DATABASE", "SCHEMA", "ALL", "LANGUAGE", "PARAMETER", "TABLESPACE", "FOREIGN", "LARGE"))
      return;
    let depth = 0;
    target.forEach((token, index) => {
      depth += token.text === "(" ? 1 : token.text === ")" ? -1 : 0;
      if (token.kind !== "name" || (token.parts?.length ?? 0) > 1) return;
      const isKind =
        index === 0 && is(token, "TABLE", "SEQUENCE", "FUNCTION", "PROCEDURE", "ROUTINE", "TYPE", "DOMAIN");
      if (isKind) return;
      if (depth > 0) this.type(token, "type");
      else {
        const kind = is(target[0], "FUNCTION", "PROCEDURE", "ROUTINE") ? "function" : "relation";
        this.add(is(target[0], "TYPE", "DOMAIN") ? "type" : kind, token);
      }
    });
  }

  /** What the statement runs as SQL itself: a block, the body of a function, what EXECUTE is given. */
  private bodies(): void {
    const language = this.all[this.all.findIndex((token) => is(token, "LANGUAGE")) + 1];
    const executes = this.plpgsql && this.all.some((token) => is(token, "EXECUTE"));
    this.all.forEach((token, index) => {
      if (token.kind !== "string") return;
      const before = this.all[index - 1];
      const isBlock = is(this.all[0], "DO") && (index === 1 || is(this.all[1], "LANGUAGE"));
      const isBody = is(this.all[0], "CREATE") && is(before, "AS") && is(language, "SQL", "PLPGSQL");
      const value = token.value ?? "";
      if (isBlock || isBody) {
        const plpgsql = isBlock || is(language, "PLPGSQL");
        this.found.push(...lookups(value, { plpgsql, line: token.line }));
      } else if (executes) {
        const sql = value.replaceAll(/%(?:\d+\$)?[-\d]*[sIL]/g, PLACEHOLDER);
        this.found.push(...lookups(sql, { line: token.line }));
      }
    });
  }

  private add(kind: Lookup["kind"], { text, line }: Token): void {
    this.found.push({ kind, text, line });
  }
}

/** Something that a value or a name ends with, so that what follows is no new one. */
function isOperand(token: Token | undefined): boolean {
  if (token === undefined) return false;
  return (
    ["string", "number", "parameter", "placeholder"].includes(token.kind) ||
    token.text === ")" ||
    isPlainName(token)
  );
}

/** A name that is no word of the grammar. */
function isPlainName(token: Token | undefined): boolean {
  return token?.kind === "name" && !is(token, ...NO_FUNCTIONS, ...KEYWORD_TYPES);
}

/** WITH a AS (…), b (x) AS (…). */
function commonTables(all: readonly Token[]): ReadonlySet<string> {
  const found = new Set<string>();
  all.forEach((token, index) => {
    const before = all[index - 1];
    if (token.parts?.length !== 1 || !(is(before, "WITH", "RECURSIVE") || before?.text === ",")) return;
    let at = index + 1;
    if (all[at]?.text === "(") at = 1 + all.findIndex((one, place) => place > at && one.text === ")");
    if (!is(all[at], "AS")) return;
    while (is(all[at + 1], "NOT", "MATERIALIZED")) at++;
    if (
      all[at + 1]?.text === "(" &&
      is(all[at + 2], "SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE")
    ) {
      found.add(token.parts[0]!);
    }
  });
  return found;
}
