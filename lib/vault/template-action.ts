/** What an action of a username template, `{{…}}`, puts into a name. */
export interface TemplateValue {
  /** Whether it may hold what an identity provider says of a person, as it is said. */
  readonly raw: boolean;
  /** Whether it is another each time. */
  readonly differs: boolean;
  /** Characters at most. */
  readonly length: number;
}

const TOKEN = /\s*(?:("[A-Za-z0-9_.@%: -]*")|(\.?[A-Za-z][A-Za-z0-9_]*)|(\d+)|([()|]))/y;

/** Of a hash as engines write it, in hexadecimal digits. */
const SHA256_CHARACTERS = 64;

const constant = (length: number, differs = false): TemplateValue => ({ raw: false, differs, length });

/** What engines fill in, each with how many numbers or texts it takes. */
const SOURCES: Readonly<Record<string, (argument: string) => TemplateValue>> = {
  ".RoleName": () => constant(Infinity),
  ".DisplayName": () => ({ raw: true, differs: false, length: Infinity }),
  random: (argument) => constant(Number(argument), true),
  timestamp: (argument) => constant(argument.length + 16),
  unix_time: () => constant(10),
  unix_time_millis: () => constant(13, true),
  uuid: () => constant(36, true),
};

/** What engines do with a value, by how many numbers and texts come before it. */
const FILTERS: Readonly<Record<string, (value: TemplateValue, ...given: string[]) => TemplateValue>> = {
  lowercase: (value) => value,
  uppercase: (value) => value,
  sha256: ({ differs }) => constant(SHA256_CHARACTERS, differs),
  truncate: (value, most = "") => ({ ...value, length: Math.min(value.length, Number(most)) }),
  truncate_sha256: (value, most = "") => ({ ...value, length: Math.min(value.length, Number(most)) }),
  replace: (value, from = "", to = "") => ({
    ...value,
    length: to.length <= from.length ? value.length : value.length * (to.length || 1),
  }),
};

const NUMBERS: Readonly<Record<string, number>> = { random: 1, truncate: 1, truncate_sha256: 1 };
const TEXTS: Readonly<Record<string, number>> = { timestamp: 1, replace: 2 };

/** Those that are taken, for a message. */
export const HARMLESS_ACTIONS =
  '{{.RoleName}}, {{random 20}}, {{uuid}}, {{unix_time}}, {{unix_time_millis}}, {{timestamp "2006"}} and {{.DisplayName | sha256}}, ' +
  'with | truncate 8, truncate_sha256 9, lowercase, uppercase, sha256 or replace "a" "b", and with printf "v-%s" (…)';

/**
 * Reads the inside of an action.
 *
 * @returns undefined for all but what is known to put letters, digits and the like into a name
 */
export function readAction(inside: string): TemplateValue | undefined {
  const tokens = tokensOf(inside);
  return tokens && new Action(tokens).whole();
}

function tokensOf(inside: string): string[] | undefined {
  const tokens: string[] = [];
  const text = inside.trim();
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length;) {
    const match = TOKEN.exec(text);
    if (match === null) return undefined;
    tokens.push(match[0].trim());
  }
  return tokens;
}

/** A pipeline of Go's templates, of the few functions that are let in. */
class Action {
  private at = 0;

  constructor(private readonly tokens: readonly string[]) {}

  whole(): TemplateValue | undefined {
    const value = this.pipeline();
    return this.at === this.tokens.length ? value : undefined;
  }

  private pipeline(): TemplateValue | undefined {
    let value = this.command();
    while (value !== undefined && this.takes("|")) value = this.command(value);
    return value;
  }

  /** @param piped what comes by a pipe, which is the last argument of a filter */
  private command(piped?: TemplateValue): TemplateValue | undefined {
    const name = this.tokens[this.at] ?? "";
    if (name === "(") return piped ? undefined : this.operand();
    this.at++;
    if (name === "printf") return piped ? undefined : this.printf();
    const given = this.given(name);
    if (given === undefined) return undefined;
    if (Object.hasOwn(SOURCES, name)) return piped ? undefined : SOURCES[name]?.(given[0] ?? "");
    if (!Object.hasOwn(FILTERS, name)) return undefined;
    const value = piped ?? this.operand();
    return value && FILTERS[name]?.(value, ...given);
  }

  /** The numbers or texts that a function takes; undefined where others, or none, are there. */
  private given(name: string): string[] | undefined {
    const numbers = Object.hasOwn(NUMBERS, name) ? (NUMBERS[name] ?? 0) : 0;
    const texts = Object.hasOwn(TEXTS, name) ? (TEXTS[name] ?? 0) : 0;
    const given = this.tokens.slice(this.at, this.at + numbers + texts);
    if (given.length !== numbers + texts) return undefined;
    if (!given.every((each) => (numbers > 0 ? /^\d+$/ : /^"[^%"]*"$/).test(each))) return undefined;
    this.at += given.length;
    return given.map((each) => each.replaceAll('"', ""));
  }

  /** A value by its name, or a pipeline in parentheses. */
  private operand(): TemplateValue | undefined {
    if (this.takes("(")) {
      const value = this.pipeline();
      return this.takes(")") ? value : undefined;
    }
    const name = this.tokens[this.at] ?? "";
    // A function that takes something of its own would take it from the function around it.
    if (!Object.hasOwn(SOURCES, name) || name === "random" || name === "timestamp") return undefined;
    this.at++;
    return SOURCES[name]?.("");
  }

  private printf(): TemplateValue | undefined {
    const format = /^"((?:[^%"]|%s)*)"$/.exec(this.tokens[this.at] ?? "")?.[1];
    if (format === undefined) return undefined;
    this.at++;
    const [first = "", ...texts] = format.split("%s");
    let whole = constant(first.length);
    for (const text of texts) {
      const value = this.operand();
      if (value === undefined) return undefined;
      whole = {
        raw: whole.raw || value.raw,
        differs: whole.differs || value.differs,
        length: whole.length + value.length + text.length,
      };
    }
    return whole;
  }

  private takes(token: string): boolean {
    if (this.tokens[this.at] !== token) return false;
    this.at++;
    return true;
  }
}
