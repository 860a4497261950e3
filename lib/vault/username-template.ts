import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../names";
import { terraformLine } from "../terraform-text";

/**
 * Checks a template for the names of dynamic users and returns it.
 *
 * @throws ConfigurationError if it gives the same name twice, or names with which statements would say something else
 */
export function checkUsernameTemplate(template: string): string {
  if (isUnresolved(template)) return template;
  checkHarmless(template);
  if (!/\{\{.*\b(random|uuid|unix_time_millis)\b.*\}\}/s.test(template)) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives the same name twice.`,
      'Use {{random 20}} or {{uuid}} in it: the second credential would fail with "already exists".',
    );
  }
  return template;
}

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
  if (isUnresolved(template)) return template;
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

const fixedText = (template: string) => template.replaceAll(/\{\{.*?\}\}/gs, "");

/** The engine writes the name into SQL as plain text: in quotes, between semicolons. */
function checkHarmless(template: string): void {
  terraformLine("username template", template);
  if (
    /\{\{\s*(name|username|password|expiration)\s*\}\}/.test(template) ||
    fixedText(template).includes("{{")
  ) {
    throw new ConfigurationError(
      `The username template ${show(template)} is none that the engine can read.`,
      "Close each {{ by }}; {{name}} and the like stand in SQL only: here it is {{.RoleName}}, {{.DisplayName}}, {{random 20}}.",
    );
  }
  const unsafe = [..."'\"`\\;$"].find((character) => fixedText(template).includes(character));
  // In what is filled in, a double quote begins a text, and no other way to write one is let in.
  const hidden = /\{\{[^}]*['`\\;$]/.test(template);
  if (unsafe !== undefined || hidden) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives names with quotes, "$", backslashes or semicolons.`,
      "The engine writes names into SQL as they are, which such a name would change; use letters, digits, _ and -.",
    );
  }
}

/**
 * As {@link checkUsernameTemplate}, for servers that refuse a long name instead of cutting it.
 *
 * @param limit characters that the server allows
 * @throws ConfigurationError also if the names would be longer, or as long as the names of tokens and roles make them
 */
export function checkShortUsernameTemplate(template: string, limit: number): string {
  checkUsernameTemplate(template);
  if (isUnresolved(template)) return template;
  const lengths = (helper: RegExp) => [...template.matchAll(helper)].map((match) => Number(match[1]));
  const cut = lengths(/\btruncate(?:_sha256)?\s+(\d+)/g).at(-1);
  if (cut === undefined && /\.(DisplayName|RoleName)\b/.test(template)) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives names of any length.`,
      `The server refuses names of more than ${limit} characters; end it with "| truncate ${limit}".`,
    );
  }
  const longest = cut ?? Math.max(0, ...lengths(/\brandom\s+(\d+)/g));
  if (longest > limit) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives names of ${longest} characters.`,
      `The server refuses names of more than ${limit} characters; end it with "| truncate ${limit}".`,
    );
  }
  return template;
}
