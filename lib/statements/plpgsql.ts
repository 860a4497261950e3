import { isUnresolved } from "../tokens";
import { bodyLiteral, dollarQuote } from "./quote";

/**
 * Tags of dollar quotes around what the engine fills in. Each is longer than the 63 bytes of a name in PostgreSQL, to which
 * the engine's own template cuts, so that no name holds one: whatever a name is made of, it cannot end the text that it is in.
 */
const longTag = (name: string) => `$${name}_under_a_tag_that_is_longer_than_any_name_that_postgresql_takes$`;
const BODY_TAG = longTag("body");
const NAME_TAG = longTag("name");

/** The user's name, cut as PostgreSQL cuts names; after a space, since Terraform reads a dollar sign and a brace as a template. */
export const USER_NAME = `pg_catalog.substr(${NAME_TAG} {{name}}${NAME_TAG}::pg_catalog.text, 2)`;

/** OID of a role by its name; null if there is none. A function, which costs a tenth of a query. */
export function oidOfRole(name: string): string {
  return `pg_catalog.to_regrole(pg_catalog.quote_ident(${name}))`;
}

/**
 * What stands before every block, where it costs a third of what it costs in one. What a user can make is then found by no name
 * in the block, nor in what the rest of the transaction runs; names and operators are qualified all the same. Without the second
 * PostgreSQL parses each expression of a block twice, of which the first time costs a tenth of a revocation.
 */
const PREPARING = [`SET LOCAL search_path = pg_catalog, pg_temp;`, `SET LOCAL check_function_bodies = off;`];

function prepared(block: string): string {
  return [...PREPARING, `DO ${block};`].join("\n");
}

/**
 * A DO block about the user that the engine issues or ends, whose name is `user_name` in it. It has to be a list element
 * of its own: the engine does not split an element that holds the word END.
 *
 * @param declarations of further variables
 */
export function aboutUser(declarations: readonly string[], lines: readonly string[]): string {
  return prepared(`${BODY_TAG}${bodyOf(USER_NAME, declarations, lines)}${BODY_TAG}`);
}

/** An expression that keeps a value, of type text, for further blocks of the same session: into those the engine fills nothing. */
export function handingOn(name: string, value: string): string {
  return `pg_catalog.set_config($$credentials.${name}$$, ${value}, false)`;
}

/** Such a value. */
export function handedOn(name: string): string {
  return `pg_catalog.current_setting($$credentials.${name}$$)`;
}

/** A DO block about the user that an earlier one has handed on. */
export function aboutSameUser(declarations: readonly string[], lines: readonly string[]): string {
  return prepared(inDollars(bodyOf(handedOn("user"), declarations, lines), "body"));
}

/**
 * A statement in a block that runs another one, about the user that was handed on. PostgreSQL compiles the whole of a block
 * each time, so that what is seldom needed costs next to nothing in a block of its own. It sees no variables of the outer one.
 */
export function innerBlock(declarations: readonly string[], lines: readonly string[]): string {
  const body = bodyOf(handedOn("user"), declarations, lines);
  return `EXECUTE ${inDollars(`DO ${inDollars(body, "inner_body")}`, "inner")};`;
}

/** What a name that only Terraform knows holds cannot be looked at, but it is a name. */
function inDollars(body: string, level: string): string {
  const tag = longTag(level);
  return isUnresolved(body) ? `${tag}${body}${tag}` : dollarQuote(body);
}

function bodyOf(name: string, declarations: readonly string[], lines: readonly string[]): string {
  return [
    "",
    "DECLARE",
    ...indent([`user_name CONSTANT pg_catalog.name := ${name};`, ...declarations]),
    "BEGIN",
    ...indent(lines),
    "END",
    "",
  ].join("\n");
}

/**
 * Runs a statement of which PostgreSQL takes no variables.
 *
 * @param format with `%I` for each name
 * @param names expressions of the names
 */
export function execute(format: string, ...names: readonly string[]): string {
  return `EXECUTE pg_catalog.format(${[bodyLiteral(format), ...names].join(", ")});`;
}

/** A name in a format: what is not filled in has its percent signs doubled. */
export function inFormat(text: string): string {
  return text.replaceAll("%", "%%");
}

export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
