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
const COMMENT = /\/\*[^]*?\*\/|--[^\n]*/g;

/**
 * What SQL gives that a revocation is not sure to end; undefined if there is nothing of it.
 *
 * @param text as in `KnownSql`
 * @param engineLogin name of the login that the engine uses, where it is known
 */
export function powerIn(text: string, engineLogin?: string): Power | undefined {
  const code = text.replaceAll(COMMENT, " ");
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

/** Whether it makes somebody a member of the role; a part of a name that a token may make whole is none. */
function handsOut(code: string, role: string): boolean {
  return [...code.matchAll(MEMBERSHIP)].some(([, granted, joined]) => {
    const names = (granted ?? joined ?? "").match(/"(?:[^"]|"")*"|[^\s,"]+/g) ?? [];
    return names.some((name) =>
      name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') === role : name.toLowerCase() === role,
    );
  });
}
