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

const ADMIN = /\bADMIN\s+(?:OPTION(?!\s+FOR\b)|TRUE)\b/i;
const GRANT = /\bWITH\s+GRANT\s+OPTION\b/i;
const COMMENT = /\/\*[^]*?\*\/|--[^\n]*/g;

/**
 * What SQL gives that a revocation is not sure to end; undefined if there is nothing of it.
 *
 * @param text as in `KnownSql`
 */
export function powerIn(text: string): Power | undefined {
  const code = text.replaceAll(COMMENT, " ");
  const keyword = KEYWORDS.find(({ name }) => mayHold(code, name));
  if (keyword !== undefined) return keyword;
  if (ADMIN.test(code)) return { name: "ADMIN OPTION", why: "it makes others members, who go on without it" };
  if (GRANT.test(code))
    return { name: "GRANT OPTION", why: "it gives rights on, which keep it from being dropped" };
  return undefined;
}
