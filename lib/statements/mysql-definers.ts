import { plainMysql } from "./mysql-plain";

/** Privileges by which a user makes objects that run with its rights, and need it to be there. */
export const DEFINING_PRIVILEGES: readonly string[] = ["CREATE VIEW", "TRIGGER", "CREATE ROUTINE", "EVENT"];

/** Why they are refused, for a message. */
export const WHY_NO_DEFINERS =
  "Views, triggers, routines and events name the user that made them and fail for everybody without it, so that it could not be dropped.";

/**
 * The privilege that SQL gives by a GRANT and that is one of {@link DEFINING_PRIVILEGES}, or holds them as ALL does;
 * undefined if there is none.
 */
export function definingPrivilege(sql: string): string | undefined {
  for (const { text } of plainMysql(sql)) {
    for (const [, privileges = ""] of text.matchAll(/\bGRANT\b([^;]*?)\bON\b/gi)) {
      // Names of columns are no privileges.
      const words = privileges
        .replaceAll(/\([^)]*\)/g, " ")
        .replaceAll(/\s+/g, " ")
        .toUpperCase();
      const found = [...DEFINING_PRIVILEGES, "ALL"].find((each) => new RegExp(`\\b${each}\\b`).test(words));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
