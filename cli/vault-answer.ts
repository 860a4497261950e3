import { UserError } from "./errors";
import { oneLine, shortened } from "./text";

/** The parts of an API answer that we use. */
export interface VaultResponse {
  readonly status: number;
  readonly body: VaultBody;
  /** How long the server asks to wait before it is asked again. */
  readonly retryAfterSeconds?: number;
  /** What time it is by what answered, in milliseconds since 1970. */
  readonly date?: number;
}

export interface VaultBody {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly lease_id?: string;
  readonly lease_duration?: number;
  readonly renewable?: boolean;
  readonly auth?: VaultAuth | null;
  readonly wrap_info?: VaultWrapInfo | null;
  readonly errors?: readonly string[];
  readonly [field: string]: unknown;
}

export interface VaultAuth {
  readonly client_token: string;
  readonly accessor: string;
  readonly policies: readonly string[];
  readonly lease_duration: number;
  readonly token_type: string;
}

export interface VaultWrapInfo {
  readonly token: string;
  readonly creation_path: string;
  readonly ttl: number;
  /** Of the token inside, if it is a token that is wrapped. */
  readonly wrapped_accessor?: string;
}

/** The server refused. Names the path and the server's words, and nothing of what was sent. */
export class VaultError extends Error {
  constructor(
    readonly method: string,
    readonly path: string,
    readonly status: number,
    readonly errors: readonly string[],
  ) {
    const words = errors.map(oneLine).filter((error) => error !== "");
    super(`${method} ${path}: ${status}${words.length > 0 ? ` ${shortened(words.join("; "))}` : ""}`);
    this.name = "VaultError";
  }
}

/** What answered is not Vault, or says something else than was asked for: nothing may be concluded from it. */
export class UnexpectedAnswer extends UserError {
  /**
   * @param asked such as `GET sys/health`
   * @param saw such as `200, and the answer is not JSON`
   */
  constructor(asked: string, saw: string) {
    super(
      `${asked}: ${saw}`,
      "Is VAULT_ADDR the address of Vault or OpenBao, and of nothing in front of it that answers itself?",
    );
  }
}

/** What statuses mean that Vault's `sys/health` answers with, should one come where it is not expected. */
const HEALTH: Readonly<Record<number, string>> = {
  429: "too many requests, or a standby",
  472: "a secondary for disaster recovery, which serves no requests",
  473: "a performance standby",
  501: "not initialized",
  503: "sealed, or not available",
  530: "removed from its cluster",
};

/** A status for people. */
export function statusWords(status: number): string {
  const meaning = HEALTH[status];
  return meaning === undefined ? String(status) : `${status} (${meaning})`;
}

/** Whether a body is how Vault refuses: at least a list of what is wrong, which may be empty. */
export function refusal(body: VaultBody): readonly string[] | undefined {
  const { errors } = body;
  return Array.isArray(errors) && errors.every((error) => typeof error === "string") ? errors : undefined;
}

/** Whether a body holds something that Vault answers with: data, a token, a wrapping. */
export function hasContent({ data, auth, wrap_info }: VaultBody): boolean {
  return [data, auth, wrap_info].some(isObject);
}

/** Whether a body is what Vault answers with where it has done something and has warnings. */
export function saysDone({ request_id, data }: VaultBody): boolean {
  return typeof request_id === "string" && request_id !== "" && data !== undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads fields of an answer, each of which has to be there and to have its type. */
export class AnswerFields {
  private readonly fields: Readonly<Record<string, unknown>>;

  /**
   * @param asked such as `GET sys/mounts`, for messages
   * @param answer the `data` of an answer, say
   */
  constructor(
    private readonly asked: string,
    answer: object | null | undefined,
  ) {
    this.fields = (answer ?? {}) as Readonly<Record<string, unknown>>;
  }

  /** A text that is not empty. */
  text(name: string): string {
    const value = this.fields[name];
    return typeof value === "string" && value !== "" ? value : this.missing(name);
  }

  number(name: string): number {
    const value = this.fields[name];
    return typeof value === "number" && Number.isFinite(value) ? value : this.missing(name);
  }

  flag(name: string): boolean {
    const value = this.fields[name];
    return typeof value === "boolean" ? value : this.missing(name);
  }

  /** Milliseconds since 1970 of a time in the answer. */
  time(name: string): number {
    const value = Date.parse(this.text(name));
    return Number.isNaN(value) ? this.missing(name) : value;
  }

  /** Texts; null is how Go writes none. */
  texts(name: string): readonly string[] {
    const value = this.fields[name];
    if (value === null) return [];
    return Array.isArray(value) && value.every((each) => typeof each === "string")
      ? value
      : this.missing(name);
  }

  /** Objects with fields of their own. */
  objects(name: string): readonly AnswerFields[] {
    const value = this.fields[name];
    if (value === null) return [];
    return Array.isArray(value) && value.every(isObject)
      ? value.map((each) => new AnswerFields(this.asked, each))
      : this.missing(name);
  }

  /** A text that may be missing or empty. */
  optionalText(name: string): string {
    const value = this.fields[name] ?? "";
    return typeof value === "string" ? value : this.missing(name);
  }

  /** An object that may be missing. */
  optionalObject(name: string): Readonly<Record<string, unknown>> {
    const value = this.fields[name] ?? {};
    return isObject(value) ? value : this.missing(name);
  }

  /** A number that may be missing. */
  optionalNumber(name: string): number | undefined {
    return this.fields[name] === undefined || this.fields[name] === null ? undefined : this.number(name);
  }

  private missing(name: string): never {
    throw new UnexpectedAnswer(this.asked, `the answer has no usable "${name}"`);
  }
}
