import { escapeLiteral } from "pg";
import { inLine } from "./text";

/** A text as a literal of SQL that can be shown in a line and copied from there: PostgreSQL reads `\u001b` in it as it is meant. */
export function shownLiteral(text: string): string {
  if (inLine(text) === text) return escapeLiteral(text).trim();
  return `E'${inLine(text.replaceAll("\\", "\\\\").replaceAll("'", "''"))}'`;
}
