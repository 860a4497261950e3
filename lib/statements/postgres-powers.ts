import { withoutCommentsWithin } from "./bare-sql";
import { mayHold } from "./placeholders";

/** A power beyond rights on a database, and why its user's end is not the end of it. */
export interface Power {
  readonly name: string;
  readonly why: string;
}

/** By name of an attribute of PostgreSQL's roles, or of a role that a server has. */
const KEYWORDS: readonly Power[] = [
  { name: "CREATEROLE", why: "it makes logins of its own, which no revocation ends" },
  { name: "REPLICATION", why: "it copies the whole server, past every right" },
  { name: "BYPASSRLS", why: "it reads and changes rows past the policies on them" },
  { name: "pg_execute_server_program", why: "it runs programs on the server, which no revocation ends" },
  { name: "pg_write_server_files", why: "it writes files on the server, which no revocation takes back" },
  { name: "pg_read_server_files", why: "it reads files on the server, the database's own included" },
];

const ADMIN =
  /\bADMIN\s+(?:OPTION(?!\s+FOR\b)|TRUE)\b|\b(?:CREATE|ALTER)\s+(?:ROLE|USER|GROUP)\b[^;]*?\sADMIN\s+(?!OPTION\b|FALSE\b)/i;
/** What makes others members of roles, which are the list of names in it. */
const MEMBERSHIP = /\bGRANT\b((?:(?!\bON\b|\bTO\b)[^;])*)\bTO\b|\bIN\s+(?:ROLE|GROUP)\b([^;]*)/gi;
const GRANT = /\bWITH\s+GRANT\s+OPTION\b/i;

/** What goes beyond the rights of a base role, and ends with the user all the same. */
const KEYWORDS_TO_SEE: readonly (readonly [keyword: string, what: string])[] = [
  ["CREATEDB", "makes databases that nobody drops"],
  ["pg_read_all_data", "reads every table"],
  ["pg_write_all_data", "writes every table"],
  ["pg_signal_backend", "ends sessions of others"],
];
/** Membership in the login that a server is set up with. */
const OF_SUPERUSER = /\b(?:IN\s+(?:ROLE|GROUP)|GRANT)\s+(?:[^;]*,\s*)?"?postgres"?\s*(?:,|;|$|TO\b|\n)/i;

/**
 * What SQL gives that a revocation is not sure to end; undefined if there is nothing of it.
 *
 * @param text as in `KnownSql`
 * @param engineLogin name of the login that the engine uses, where it is known
 */
export function powerIn(text: string, engineLogin?: string): Power | undefined {
  const code = withoutCommentsWithin(text);
  const keyword = KEYWORDS.find(({ name }) => mayHold(code, name));
  if (keyword !== undefined) return keyword;
  if (engineLogin !== undefined && handsOut(code, engineLogin)) {
    return { name: `the engine's login ${engineLogin}`, why: "it makes and ends logins as the engine does" };
  }
  if (ADMIN.test(code)) return { name: "ADMIN OPTION", why: "it makes others members, who go on without it" };
  if (GRANT.test(code))
    return { name: "GRANT OPTION", why: "it gives rights on, which keep it from being dropped" };
  return undefined;
}

/**
 * What else SQL gives that a review should see; it is there for what the preset does not do.
 *
 * @param text as in `KnownSql`
 */
export function powersToSee(text: string): string[] {
  const found = KEYWORDS_TO_SEE.filter(([keyword]) => mayHold(text, keyword)).map(
    ([keyword, what]) => `${keyword}, which ${what}`,
  );
  if (OF_SUPERUSER.test(text)) found.push("membership in postgres, which is the superuser of most servers");
  return found;
}

/** Whether it makes somebody a member of the role; a part of a name that a token may make whole is none. */
function handsOut(code: string, role: string): boolean {
  return [...code.matchAll(MEMBERSHIP)].some(([, granted, joined]) => {
    const names = (granted ?? joined ?? "").match(/"(?:[^"]|"")*"|[^\s,"]+/g) ?? [];
    return names.some((name) =>
      name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') === role : name.toLowerCase() === role,
    );
  });
}
