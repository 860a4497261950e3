import { isUnresolved } from "../tokens";
import { plainText } from "./plain-text";

/** A text as the value of a setting: `%` begins a specifier of systemd's. */
export function systemdText(what: string, text: string): string {
  return plainText(what, text).replaceAll("%", "%%");
}

/** One word of a setting that takes several, as systemd reads it: quoted where it is not plain. */
export function systemdWord(what: string, text: string): string {
  const escaped = systemdText(what, text);
  if (isUnresolved(text) || /^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return escaped;
  return `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** As {@link systemdWord}, for a command, in which `$` begins a variable. */
export function systemdArgument(what: string, text: string): string {
  return isUnresolved(text) ? text : systemdWord(what, text).replaceAll("$", () => "$$");
}
