import { Annotations } from "cdktf";
import type { Construct } from "constructs";
import { ConfigurationError, show } from "../errors";
import { POSTGRES_IDENTIFIER_BYTES } from "../names";
import { terraformLine } from "../terraform-text";
import { isToken, isUnresolved, withStandIns } from "../tokens";
import { cut, lengthOf, same, worthOf, type NamePart } from "./name-parts";
import { HARMLESS_ACTIONS, readAction } from "./template-action";

/**
 * Checks a template for the names of dynamic users and returns it. A token of CDKTF stands for letters and digits in it.
 *
 * @throws ConfigurationError if it gives the same name twice, or names with which statements would say something else: with
 *   quotes, with what an identity provider says of a person, or by anything of Go's templates that is not known to be harmless
 */
function checkUsernameTemplate(template: string): string {
  if (isToken(template)) return template;
  checkHarmless(template);
  if (worthOf(partsOf(template, SHORTEST_ROLE_NAME)) === 0) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives the same name twice.`,
      'Use {{random 20}} or {{uuid}} in it: the second credential would fail with "already exists".',
    );
  }
  return template;
}

const SHORTEST_ROLE_NAME = 1;

/** Fewer would be left of a PostgreSQL name of 63 bytes to what makes names differ. */
const LONGEST_FIXED_BYTES = 43;

/**
 * As {@link checkUsernameTemplate}, for PostgreSQL, which cuts a long name.
 *
 * @throws ConfigurationError also if names are reserved, are cut in the middle of a character, or are so long before they
 *   differ that they would be cut to one
 */
export function checkPostgresUsernameTemplate(template: string): string {
  checkUsernameTemplate(template);
  if (isToken(template)) return template;
  const fixed = fixedText(template);
  if (!/^[ -~]*$/.test(fixed)) {
    throw new ConfigurationError(
      `The username template ${show(template)} has characters that are not ASCII.`,
      "PostgreSQL cuts names at 63 bytes, which may be in the middle of one; use letters, digits, _ and -.",
    );
  }
  const bytes = Buffer.byteLength(fixed);
  if (bytes > LONGEST_FIXED_BYTES) {
    throw new ConfigurationError(
      `The username template ${show(template)} has ${bytes} bytes besides what it fills in.`,
      `PostgreSQL cuts names at 63 bytes, so that they may become the same: use at most ${LONGEST_FIXED_BYTES}.`,
    );
  }
  if (/^pg_/i.test(template)) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives names that PostgreSQL reserves.`,
      'Begin it with something else than "pg_".',
    );
  }
  return template;
}

const ACTION = /\{\{(.*?)\}\}/gs;

/** The template with a digit for each token: as part of a name, or as the number of an action. */
const known = (template: string) => withStandIns(template, "1");

const fixedText = (template: string) => known(template).replaceAll(ACTION, "");

/** What the names of a harmless template are made of. @param roleName characters of the role's name */
function partsOf(template: string, roleName: number): readonly NamePart[] {
  // Text and the insides of actions by turns.
  return known(template)
    .split(ACTION)
    .flatMap((text, index) =>
      index % 2 === 0 ? [same(text.length)] : (readAction(text, roleName)?.parts ?? []),
    );
}

/** The engine writes the name into SQL as plain text: in quotes, between semicolons. */
function checkHarmless(template: string): void {
  terraformLine("username template", template);
  const text = known(template);
  const fixed = fixedText(template);
  if (/\{\{\s*(name|username|password|expiration)\s*\}\}/.test(text) || fixed.includes("{{")) {
    throw new ConfigurationError(
      `The username template ${show(template)} is none that the engine can read.`,
      "Close each {{ by }}; {{name}} and the like stand in SQL only: here it is {{.RoleName}}, {{random 20}}, {{unix_time}}.",
    );
  }
  const unsafe = [..."'\"`\\;$"].find((character) => fixed.includes(character));
  // In what is filled in, a double quote begins a text, and no other way to write one is let in.
  const hidden = /\{\{[^}]*['`\\;$]/.test(text);
  if (unsafe !== undefined || hidden) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives names with quotes, "$", backslashes or semicolons.`,
      "The engine writes names into SQL as they are, which such a name would change; use letters, digits, _ and -.",
    );
  }
  for (const [action, inside = ""] of text.matchAll(ACTION)) checkAction(template, action, inside);
}

function checkAction(template: string, action: string, inside: string): void {
  const value = readAction(inside);
  if (value === undefined) {
    throw new ConfigurationError(
      `The username template ${show(template)} has ${show(action)}, which is not known to be harmless in SQL.`,
      `Use ${HARMLESS_ACTIONS}.`,
    );
  }
  if (value.raw) {
    throw new ConfigurationError(
      `The username template ${show(template)} has ${show(action)}, which puts the display name into SQL as it is.`,
      "What it holds is said by an identity provider, quotes and SQL included: leave it out, or write {{.DisplayName | sha256 | truncate 8}}.",
    );
  }
}

/**
 * As {@link checkUsernameTemplate}, for servers that refuse a long name instead of cutting it.
 *
 * @param limit characters that the server allows
 * @throws ConfigurationError also if the names would be longer, or as long as the names of roles make them
 */
export function checkShortUsernameTemplate(template: string, limit: number): string {
  checkUsernameTemplate(template);
  if (isToken(template)) return template;
  const longest = lengthOf(partsOf(template, Infinity));
  if (longest === Infinity) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives names of any length.`,
      `The server refuses names of more than ${limit} characters; shorten what is filled in by "| truncate 8".`,
    );
  }
  if (longest > limit) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives names of ${longest} characters.`,
      `The server refuses names of more than ${limit} characters; shorten what is filled in by "| truncate 8".`,
    );
  }
  return template;
}

/** Fewer random characters than these give the same name twice within some hundred names. */
const ENOUGH = 4;

/**
 * Checks what the template of a connection makes of the users of a role, and warns where few of them differ.
 *
 * @param limit characters that are kept of a longer name
 * @throws ConfigurationError if all would have one name, since it is cut before what makes names differ
 */
export function checkUserNames(
  scope: Construct,
  role: string,
  template: string | undefined,
  limit = POSTGRES_IDENTIFIER_BYTES,
): void {
  if (template === undefined || isToken(template) || isUnresolved(role)) return;
  const worth = worthOf(cut(partsOf(template, role.length), limit));
  const longest = lengthOf(partsOf(template, role.length));
  const remedy = "Use {{random 20}} in it, and {{.RoleName | truncate 8}} before that.";
  if (worth === 0) {
    throw new ConfigurationError(
      `The users of the role ${show(role)} would have one name by the username template ${show(template)}, which is cut` +
        (longest > limit ? ` after ${limit} of ${longest} characters,` : "") +
        " before what makes names differ.",
      `The second credential would fail with "already exists". ${remedy}`,
    );
  }
  if (worth >= ENOUGH) return;
  Annotations.of(scope).addWarning(
    `The users of the role ${show(role)} differ in ${worth} ${worth === 1 ? "character" : "characters"} only, by the username ` +
      `template ${show(template)}: every now and then a credential fails with "already exists". ${remedy}`,
  );
}
