import { isUnresolved, replaced } from "../tokens";
import { plainText } from "./plain-text";

/** A text as the value of a setting: `%` begins a specifier of systemd's. */
export function systemdText(what: string, text: string): string {
  return replaced(plainText(what, text), "%", "%%");
}

/** One word of a setting that takes several, as systemd reads it: quoted where it is not plain, or not known to be. */
export function systemdWord(what: string, text: string): string {
  const escaped = systemdText(what, text);
  if (!isUnresolved(text) && /^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return escaped;
  return `"${replaced(replaced(escaped, "\\", "\\\\"), '"', '\\"')}"`;
}

/** As {@link systemdWord}, for a command, in which `$` begins a variable. */
export function systemdArgument(what: string, text: string): string {
  return replaced(systemdWord(what, text), "$", "$$");
}
