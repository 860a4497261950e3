import { encodedPath } from "./api-path";
import { describeError, UserError } from "./errors";
import { exchange, type HttpAnswer } from "./http-exchange";
import { shownAddress } from "./shown-address";
import { isObject, UnexpectedAnswer, type VaultBody, type VaultResponse } from "./vault-answer";
import { isRedirect, redirected, redirectedAgain } from "./vault-redirect";

export interface ConnectionOptions {
  /** Such as `https://vault.example.com:8200`. */
  readonly address: string;
  /** PEM of the certificate authority, where the system's do not do. */
  readonly caCertificate?: string;
  /** How long a server may say nothing; a whole answer may take twice as long. @default 30000 */
  readonly timeoutMs?: number;
}

/** A request, with the headers that say as whom. */
export interface ConnectionRequest {
  readonly method: string;
  /** Below `/v1/`, without a leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** The way to a server's API, which clients with different tokens share. */
export class VaultConnection {
  /** Active servers that the server has named. */
  private readonly confirmed = new Set<string>();
  /** The same host by https, where http leads to it: what comes later does not go in the clear. */
  private upgraded: URL | undefined;

  constructor(private readonly options: ConnectionOptions) {}

  /** For people; see {@link shownAddress}. */
  get address(): string {
    return shownAddress(this.options.address);
  }

  /**
   * @returns status and body of an answer that is JSON, or empty
   * @throws UnexpectedAnswer if it is neither
   * @throws RedirectError if it is a redirect that may not be followed
   * @throws UserError if the address or the path is none
   * @throws Error if there is no answer, or half of one
   */
  async send(request: ConnectionRequest): Promise<VaultResponse> {
    const { status, text, contentType, retryAfter = "", date = "" } = await this.answer(request);
    const body = parse(text);
    if (body === undefined) {
      const kind = contentType === undefined ? "" : ` but ${contentType.split(";")[0]}`;
      throw new UnexpectedAnswer(
        `${request.method} ${request.path} at ${this.address}`,
        `${status}, and the answer is not JSON${kind}`,
      );
    }
    const time = Date.parse(date);
    return {
      ...{ status, body },
      ...(/^\d{1,6}$/.test(retryAfter) && { retryAfterSeconds: Number(retryAfter) }),
      ...(!Number.isNaN(time) && { date: time }),
    };
  }

  private async answer(request: ConnectionRequest): Promise<HttpAnswer> {
    const query = new URLSearchParams(request.query).toString();
    const apiPath = encodedPath(request.path) + (query === "" ? "" : `?${query}`);
    const url = new URL(`v1/${apiPath}`, this.upgraded ?? this.base());
    const asked = `${request.method} ${request.path}`;
    const first = await this.ask(url, request);
    if (!isRedirect(first.status)) return first;
    const { to, base } = await redirected(asked, url, first, apiPath, (origin) =>
      this.isActiveServer(origin),
    );
    const second = await this.ask(to, request);
    if (isRedirect(second.status)) throw redirectedAgain(asked, to, second);
    if (to.protocol !== url.protocol) this.upgraded = new URL(`${base}/`);
    return second;
  }

  private async ask(url: URL, request: ConnectionRequest): Promise<HttpAnswer> {
    const { method, path, body } = request;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      "X-Vault-Request": "true",
      ...request.headers,
      ...(payload !== undefined && {
        "Content-Type": "application/json",
        "Content-Length": String(Buffer.byteLength(payload)),
      }),
    };
    const { caCertificate, timeoutMs = 30_000 } = this.options;
    return exchange(url, { method, headers, payload, caCertificate, timeoutMs }).catch((error: unknown) => {
      throw new Error(`${method} ${path} at ${this.shown(url)}: ${describeError(error)}`, { cause: error });
    });
  }

  /** Asks the server that the user has named, without a token. */
  private async isActiveServer(origin: string): Promise<boolean> {
    if (this.confirmed.has(origin)) return true;
    const url = new URL("v1/sys/leader", this.upgraded ?? this.base());
    const { status, text } = await this.ask(url, { method: "GET", path: "sys/leader", headers: {} });
    const leader = status === 200 ? parse(text)?.leader_address : undefined;
    const isNamed = typeof leader === "string" && URL.canParse(leader) && new URL(leader).origin === origin;
    if (isNamed) this.confirmed.add(origin);
    return isNamed;
  }

  private base(): URL {
    const { address } = this.options;
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (
      url === undefined ||
      !["http:", "https:"].includes(url.protocol) ||
      url.search !== "" ||
      url.hash !== ""
    ) {
      throw new UserError(
        `${this.address === address ? `"${address}"` : this.address} is no address of Vault.`,
        "Set VAULT_ADDR to one such as https://vault.example.com:8200.",
      );
    }
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    return url;
  }

  /** The address as the user knows it, or that of the server which it led to. */
  private shown(url: URL): string {
    return url.origin === this.base().origin ? this.address : url.origin;
  }
}

function parse(text: string): VaultBody | undefined {
  if (text.trim() === "") return {};
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}
