import { UserError } from "./errors";
import { inLine } from "./text";

/** What the engines take as a name in a path. */
const NAME = /^(?!.*\.\.)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;
/** A part of a mount's path, which the servers restrict less. */
const PART = /^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.@~-]*$/;
const POLICY_NAMES = 'names of policies, of parts joined by "/"';
const SHOWN = 120;

/** Reads the fields of an output, each of which has to be there and to be what it should. */
export class OutputFields {
  /**
   * @param source file or folder that the outputs are from
   * @param place what is read, such as `roles.reader`; empty for the outputs themselves
   * @param all its fields
   */
  constructor(
    private readonly source: string,
    private readonly place: string,
    readonly all: Readonly<Record<string, unknown>>,
  ) {}

  object(name: string): OutputFields {
    const value = this.all[name];
    if (!isObject(value)) return this.wrong(name, "an object");
    return new OutputFields(this.source, this.placeOf(name), value);
  }

  /** Objects by their name, which becomes a part of paths. */
  entries<T>(name: string, read: (fields: OutputFields, name: string) => T): Record<string, T> {
    const { all } = this.object(name);
    // Without a prototype, for a role may be named like a property of every object.
    const found = Object.create(null) as Record<string, T>;
    for (const [key, value] of Object.entries(all)) {
      if (!NAME.test(key)) {
        throw this.error(
          `The output "${this.placeOf(name)}" names ${show(key)}.`,
          'Such a name has letters, digits, "_", "-" and single ".".',
        );
      }
      const place = `${this.placeOf(name)}.${key}`;
      if (!isObject(value)) return this.wrong(name, `one object a name, also "${key}"`);
      found[key] = read(new OutputFields(this.source, place, value), key);
    }
    return found;
  }

  /** A text of one line that is not empty and holds nothing that acts on a terminal. */
  text(name: string): string {
    const value = this.all[name];
    return isPlain(value) ? value : this.wrong(name, "a text of printable characters");
  }

  texts(name: string): readonly string[] {
    const value = this.all[name];
    return Array.isArray(value) && value.every(isPlain)
      ? value
      : this.wrong(name, "a list of texts of printable characters");
  }

  flag(name: string): boolean {
    const value = this.all[name];
    return typeof value === "boolean" ? value : this.wrong(name, "true or false");
  }

  /** Names of policies, each of which becomes the end of a path. */
  policies(name: string): readonly string[] {
    const found = this.texts(name);
    return found.every(isPolicyName) ? found : this.wrong(name, `a list of ${POLICY_NAMES}`);
  }

  /** Texts by the name of a policy. */
  digestsByPolicy(name: string): Readonly<Record<string, string>> {
    const { all } = this.object(name);
    const isDigest = (value: unknown) => typeof value === "string" && /^[0-9a-f]+$/.test(value);
    const isRight = Object.entries(all).every(([policy, value]) => isPolicyName(policy) && isDigest(value));
    // Without a prototype, for a policy may be named like a property of every object.
    return isRight
      ? (Object.assign(Object.create(null) as object, all) as Readonly<Record<string, string>>)
      : this.wrong(name, `digests by ${POLICY_NAMES}`);
  }

  /** A whole number, which Terraform may give as a text. */
  number(name: string): number {
    const value = this.all[name];
    const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
    return typeof number === "number" && Number.isSafeInteger(number) && number >= 0
      ? number
      : this.wrong(name, "a whole number");
  }

  oneOf(name: string, allowed: readonly string[]): string {
    const value = this.all[name];
    const found = allowed.find((each) => each === value);
    return found ?? this.wrong(name, `one of ${allowed.join(", ")}`);
  }

  /** A text that follows from others. */
  exactly(name: string, expected: string): string {
    return this.all[name] === expected ? expected : this.wrong(name, `"${expected}"`);
  }

  /** A name that becomes one part of a path. */
  name(name: string): string {
    const value = this.all[name];
    return typeof value === "string" && NAME.test(value)
      ? value
      : this.wrong(name, 'a name of letters, digits, "_", "-" and single "."');
  }

  /** @param reserved what is the server's own */
  mount(name: string, reserved: readonly string[]): string {
    const value = this.all[name];
    const parts = typeof value === "string" ? value.split("/") : [];
    return parts.length > 0 && parts.every((part) => PART.test(part)) && !reserved.includes(parts[0] ?? "")
      ? parts.join("/")
      : this.wrong(name, `the path of a mount, such as "orders-dev/database", that is not the server's own`);
  }

  /** Names joined by `/`, which may be at an end, too. */
  namespace(name: string): string {
    const value = this.all[name];
    return typeof value === "string" && /^\/?[!-.0-~]+(\/[!-.0-~]+)*\/?$/.test(value)
      ? value
      : this.wrong(name, 'a namespace, such as "admin/team"');
  }

  url(name: string): string {
    const value = this.all[name];
    const isUrl = isPlain(value) && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
    return isUrl ? value : this.wrong(name, 'a URL, such as "https://vault.example.com:8200"');
  }

  /** Reads what may be absent. */
  optional<T>(name: string, read: () => T): T | undefined {
    return this.all[name] === undefined || this.all[name] === null ? undefined : read();
  }

  private placeOf(name: string): string {
    return this.place === "" ? name : `${this.place}.${name}`;
  }

  private wrong(name: string, rule: string): never {
    const found = this.all[name] === undefined ? "missing" : show(this.all[name]);
    throw this.error(`The output "${this.placeOf(name)}" is ${found}.`, `It has to be ${rule}.`);
  }

  private error(problem: string, rule: string): UserError {
    return new UserError(
      `${this.source} is not what a deployment writes. ${problem} ${rule}`,
      "Nothing was asked with it. Write it anew: cdktf deploy, or terraform output -json.",
    );
  }
}

function isPolicyName(name: string): boolean {
  return name.split("/").every((part) => PART.test(part));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): value is string {
  return typeof value === "string" && value !== "" && inLine(value) === value;
}

function show(value: unknown): string {
  const text = inLine(JSON.stringify(value) ?? "undefined");
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
