import { cut, hashed, lengthOf, random, same, type NamePart } from "./name-parts";

/** What an action of a username template, `{{…}}`, puts into a name. */
export interface TemplateValue {
  /** Whether it may hold what an identity provider says of a person, as it is said. */
  readonly raw: boolean;
  readonly parts: readonly NamePart[];
}

const TOKEN = /\s*(?:("[A-Za-z0-9_.@%: -]*")|(\.?[A-Za-z][A-Za-z0-9_]*)|(\d+)|([()|]))/y;

/** Of a hash as engines write it, in hexadecimal digits. */
const SHA256_CHARACTERS = 64;

const of = (...parts: readonly NamePart[]): TemplateValue => ({ raw: false, parts });

/** Of the time in milliseconds, three digits differ within a second, in which few names are made. */
const MILLISECONDS: readonly NamePart[] = [same(10), { length: 3, worth: 2 }];

/** What engines fill in, each with how many numbers or texts it takes. */
const SOURCES: Readonly<Record<string, (argument: string, roleName: number) => TemplateValue>> = {
  ".RoleName": (_, roleName) => of(same(roleName)),
  ".DisplayName": () => ({ raw: true, parts: [same(Infinity)] }),
  random: (argument) => of(random(Number(argument))),
  timestamp: (argument) => of(same(argument.length + 16)),
  unix_time: () => of(same(10)),
  unix_time_millis: () => of(...MILLISECONDS),
  uuid: () => of(random(36)),
};

/** What engines do with a value, by how many numbers and texts come before it. */
const FILTERS: Readonly<Record<string, (value: TemplateValue, ...given: string[]) => TemplateValue>> = {
  lowercase: (value) => value,
  uppercase: (value) => value,
  sha256: ({ parts }) => of(...hashed(parts, SHA256_CHARACTERS)),
  truncate: ({ raw, parts }, most = "") => ({ raw, parts: cut(parts, Number(most)) }),
  truncate_sha256: ({ raw, parts }, most = "") => ({ raw, parts: shortened(parts, Number(most)) }),
  replace: ({ raw, parts }, from = "", to = "") => {
    const longer = to.length <= from.length ? 1 : to.length || 1;
    return {
      raw,
      parts: parts.map(({ length, worth }) => ({ length: length * longer, worth: worth / longer })),
    };
  },
};

/** Of what `truncate_sha256` cuts, a hash of the whole is the end. */
const HASH_AT_END = 8;

function shortened(parts: readonly NamePart[], most: number): readonly NamePart[] {
  if (lengthOf(parts) <= most) return parts;
  return [...cut(parts, most - HASH_AT_END), ...hashed(parts, Math.min(most, HASH_AT_END))];
}

const NUMBERS: Readonly<Record<string, number>> = { random: 1, truncate: 1, truncate_sha256: 1 };
const TEXTS: Readonly<Record<string, number>> = { timestamp: 1, replace: 2 };

/** Those that are taken, for a message. */
export const HARMLESS_ACTIONS =
  '{{.RoleName}}, {{random 20}}, {{uuid}}, {{unix_time}}, {{unix_time_millis}}, {{timestamp "2006"}} and {{.DisplayName | sha256}}, ' +
  'with | truncate 8, truncate_sha256 9, lowercase, uppercase, sha256 or replace "a" "b", and with printf "v-%s" (…)';

/**
 * Reads the inside of an action.
 *
 * @param roleName characters of the role's name
 * @returns undefined for all but what is known to put letters, digits and the like into a name
 */
export function readAction(inside: string, roleName = Infinity): TemplateValue | undefined {
  const tokens = tokensOf(inside);
  return tokens && new Action(tokens, roleName).whole();
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

  constructor(
    private readonly tokens: readonly string[],
    private readonly roleName: number,
  ) {}

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
    if (Object.hasOwn(SOURCES, name))
      return piped ? undefined : SOURCES[name]?.(given[0] ?? "", this.roleName);
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
    return SOURCES[name]?.("", this.roleName);
  }

  private printf(): TemplateValue | undefined {
    const format = /^"((?:[^%"]|%s)*)"$/.exec(this.tokens[this.at] ?? "")?.[1];
    if (format === undefined) return undefined;
    this.at++;
    const [first = "", ...texts] = format.split("%s");
    let whole = of(same(first.length));
    for (const text of texts) {
      const value = this.operand();
      if (value === undefined) return undefined;
      whole = {
        raw: whole.raw || value.raw,
        parts: [...whole.parts, ...value.parts, same(text.length)],
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
