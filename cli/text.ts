/** Such as `1 lease`, `2 leases`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** Such as `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** A length of time for people, in its two largest units: `3 d 4 h`, `5 min 2 s`, `0 s`. */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3_600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first === -1) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

/** Rows below their titles, each column as wide as it has to be. No cell reaches into another line. */
export function columns(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [titles, ...rows].map((row) => row.map(inLine));
  const widths = titles.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `  ${line.trimEnd()}`)
    .join("\n");
}

/** Control characters, marks that reorder or hide text, line separators, and halves of characters. */
const ACTING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A text for a terminal: what would act on it instead of being seen is escaped as in JSON, such as `\u001b`, so that JSON
 * stays the same JSON. Lines and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(ACTING, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));
}

/** As {@link printable}, for a text that has to stay within its line: a name, say, that a server tells. */
export function inLine(text: string): string {
  return text.replace(ACTING, escaped);
}

function escaped(character: string): string {
  // By unit of UTF-16, as JSON does.
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** A text with its line ends and other gaps as single blanks. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}

/** What fills more than a screen is cut, and its length told. */
const LONGEST_SHOWN = 2_000;

/** What others say in a message of ours, as long as a message may be. */
export function shortened(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}… (${text.length} characters)`;
}

/** A text as one quoted word of a command line, for bash, zsh and ksh. */
export function quoted(text: string): string {
  if (text.search(ACTING) === -1) return `'${text.replaceAll("'", "'\\''")}'`;
  const bytes = [...text].map((character) => {
    if (/['\\]/.test(character)) return `\\${character}`;
    if (character.search(ACTING) === -1) return character;
    return [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  });
  return `$'${bytes.join("")}'`;
}

/** As {@link quoted}, where it has to be. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : quoted(text);
}
