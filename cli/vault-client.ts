import { UserError } from "./errors";
import type { RateLimit } from "./rate-limit";
import {
  AnswerFields,
  hasContent,
  isObject,
  refusal,
  saysDone,
  statusWords,
  UnexpectedAnswer,
  VaultError,
  type VaultBody,
  type VaultResponse,
} from "./vault-answer";
import { VaultConnection, type ConnectionOptions } from "./vault-connection";

export { AnswerFields, UnexpectedAnswer, VaultError } from "./vault-answer";
export type { VaultAuth, VaultBody, VaultResponse, VaultWrapInfo } from "./vault-answer";

/** Where the API is, and as whom to call it. */
export interface VaultClientOptions extends ConnectionOptions {
  readonly token?: string;
  readonly namespace?: string | null;
  /** Waits where the server limits the rate of requests. @default - 429 is an error at once */
  readonly rateLimit?: RateLimit;
}

export interface VaultRequest {
  readonly method: "GET" | "LIST" | "POST" | "PUT" | "DELETE";
  /** Below `/v1/`, without a leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Ask for the answer response-wrapped, for so many seconds. */
  readonly wrapSeconds?: number;
}

const EMPTY = 204;
const ACCEPTED = 202;

/**
 * A small client of the HTTP API that Vault and OpenBao share. Only what Vault answers to what was asked is an answer: all
 * else, which a balancer or another program may say, is an error.
 */
export class VaultClient {
  constructor(
    private readonly options: VaultClientOptions,
    private readonly connection = new VaultConnection(options),
  ) {}

  /** For people; see {@link VaultConnection.address}. */
  get address(): string {
    return this.connection.address;
  }

  withToken(token: string | undefined): VaultClient {
    return new VaultClient({ ...this.options, token }, this.connection);
  }

  /** Without a token and outside of any namespace. */
  anonymous(): VaultClient {
    const { address, rateLimit } = this.options;
    return new VaultClient({ address, rateLimit }, this.connection);
  }

  /** For what is not worth a wait: a limited rate of requests is an error at once. */
  withoutWaiting(): VaultClient {
    return new VaultClient({ ...this.options, rateLimit: undefined }, this.connection);
  }

  /**
   * An answer of Vault's with something in it, or an empty one where Vault has nothing to say. Which fields it has to have,
   * the caller sees.
   *
   * @throws VaultError if Vault refuses
   * @throws UnexpectedAnswer if what answers does not answer as Vault does
   */
  async call(request: VaultRequest): Promise<VaultBody> {
    const { status, body } = await this.send(request);
    if (status >= 400) throw this.refused(request, status, body);
    if (request.wrapSeconds !== undefined) return this.wrapped(request, status, body);
    if (status === EMPTY || (status === 200 && (hasContent(body) || saysDone(body)))) return body;
    throw this.unexpected(request, `${statusWords(status)}, and not what Vault answers`);
  }

  /** What is at a path. @throws as {@link call}, and UnexpectedAnswer if there is no data in the answer */
  async read(path: string, query?: VaultRequest["query"]): Promise<VaultBody> {
    const request = { method: "GET", path, query } as const;
    const body = await this.call(request);
    if (!isObject(body.data)) throw this.unexpected(request, "the answer holds no data");
    return body;
  }

  /** Writes, for the answer; {@link done} is for what has none. @throws as {@link call} */
  write(path: string, body: unknown = {}): Promise<VaultBody> {
    return this.call({ method: "PUT", path, body });
  }

  /** Has something done that Vault answers with nothing, or with warnings. @throws as {@link call} */
  async done(path: string, body: unknown = {}): Promise<void> {
    await this.change({ method: "PUT", path, body });
  }

  /**
   * Has something put in Vault's queue, which it answers with 202 and nothing: whether it comes about is seen later.
   *
   * @throws as {@link call}
   */
  async queue(path: string, body: unknown): Promise<void> {
    const request = { method: "PUT", path, body } as const;
    const answer = await this.send(request);
    if (answer.status >= 400) throw this.refused(request, answer.status, answer.body);
    if (answer.status !== ACCEPTED || Object.keys(answer.body).length > 0) {
      throw this.unexpected(request, `${statusWords(answer.status)}, and not that Vault has it in its queue`);
    }
  }

  async delete(path: string): Promise<void> {
    await this.change({ method: "DELETE", path });
  }

  /**
   * Keys below a path; none where Vault says that there is nothing.
   *
   * @param wrapSeconds ask for the answer response-wrapped, and unwrap it
   */
  async list(path: string, wrapSeconds?: number): Promise<string[]> {
    const request = { method: "LIST", path, wrapSeconds } as const;
    let body: VaultBody;
    try {
      body = await this.call(request);
    } catch (error) {
      if (error instanceof VaultError && saysNothingThere(error, wrapSeconds !== undefined)) return [];
      throw error;
    }
    const wrapping = body.wrap_info?.token;
    const { data } =
      wrapSeconds === undefined ? body : await this.withToken(wrapping).write("sys/wrapping/unwrap");
    if (!Array.isArray(data?.keys)) throw this.unexpected(request, "the answer holds no keys");
    return [...new AnswerFields(`LIST ${path}`, data).texts("keys")];
  }

  /**
   * The answer to a request, whatever its status, which the caller judges: `sys/health` and a server that is not initialized
   * answer in ways of their own.
   *
   * @throws as {@link VaultConnection.send}
   */
  async send(request: VaultRequest): Promise<VaultResponse> {
    const { token, namespace } = this.options;
    if (token !== undefined && !/^[!-~]+$/.test(token)) {
      throw new UserError(
        "The token holds a character that no token has.",
        "Set VAULT_TOKEN to the token alone, without blanks and line ends.",
      );
    }
    const { wrapSeconds, ...rest } = request;
    const headers = {
      ...(token !== undefined && { "X-Vault-Token": token }),
      ...(namespace && { "X-Vault-Namespace": namespace }),
      ...(wrapSeconds !== undefined && { "X-Vault-Wrap-TTL": `${wrapSeconds}s` }),
    };
    const send = () => this.connection.send({ ...rest, headers });
    return this.options.rateLimit?.obey(`${rest.method} ${rest.path}`, send) ?? send();
  }

  private async change(request: VaultRequest): Promise<void> {
    const body = await this.call(request);
    if (Object.keys(body).length > 0 && !saysDone(body)) {
      throw this.unexpected(request, "200, and the answer does not say that it is done");
    }
  }

  private wrapped(request: VaultRequest, status: number, body: VaultBody): VaultBody {
    if (status !== 200 || !isObject(body.wrap_info))
      throw this.unexpected(request, "the answer is not wrapped");
    const fields = new AnswerFields(`${request.method} ${request.path}`, body.wrap_info);
    fields.text("token");
    fields.text("creation_path");
    fields.number("ttl");
    return body;
  }

  private refused(request: VaultRequest, status: number, body: VaultBody): Error {
    const errors = refusal(body);
    return errors === undefined
      ? this.unexpected(request, `${statusWords(status)}, and not in Vault's way of refusing`)
      : new VaultError(request.method, request.path, status, errors);
  }

  private unexpected({ method, path }: VaultRequest, saw: string): UnexpectedAnswer {
    return new UnexpectedAnswer(`${method} ${path} at ${this.address}`, saw);
  }
}

/**
 * Both servers answer a list of nothing with 404 and no word. A path that there is not has words of its own; a list of nothing
 * that was to be wrapped, `unsupported path`, bare.
 */
function saysNothingThere({ status, errors }: VaultError, wrapped: boolean): boolean {
  if (status !== 404) return false;
  return errors.length === 0 || (wrapped && errors.length === 1 && errors[0] === "unsupported path");
}
