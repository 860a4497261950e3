import * as http from "node:http";
import * as https from "node:https";

/** Where the API is, and as whom to call it. */
export interface VaultClientOptions {
  /** Such as `https://vault.example.com:8200`. */
  readonly address: string;
  readonly token?: string;
  readonly namespace?: string | null;
  /** PEM of the certificate authority, where the system's do not do. */
  readonly caCertificate?: string;
}

export interface VaultRequest {
  readonly method: "GET" | "LIST" | "POST" | "PUT" | "DELETE";
  /** Below `/v1/`, without a leading slash. */
  readonly path: string;
  readonly body?: unknown;
  /** Ask for the answer response-wrapped, for so many seconds. */
  readonly wrapSeconds?: number;
}

/** The parts of an API answer that we use. */
export interface VaultResponse {
  readonly status: number;
  readonly body: VaultBody;
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
    const words = errors.map((error) => error.trim().replace(/\s+/g, " ")).filter((error) => error !== "");
    super(`${method} ${path}: ${status}${words.length > 0 ? ` ${words.join("; ")}` : ""}`);
    this.name = "VaultError";
  }
}

const TIMEOUT_MS = 30_000;

/**
 * A small client of the HTTP API that Vault and OpenBao share. On `node:https` and not `fetch`, because `fetch` takes
 * no certificate authority of the caller's (VAULT_CACERT).
 */
export class VaultClient {
  constructor(private readonly options: VaultClientOptions) {}

  get address(): string {
    return this.options.address;
  }

  withToken(token: string | undefined): VaultClient {
    return new VaultClient({ ...this.options, token });
  }

  /** @throws VaultError for any answer of 400 and above */
  async call(request: VaultRequest): Promise<VaultBody> {
    const { status, body } = await this.send(request);
    if (status >= 400) throw new VaultError(request.method, request.path, status, body.errors ?? []);
    return body;
  }

  read(path: string): Promise<VaultBody> {
    return this.call({ method: "GET", path });
  }

  write(path: string, body: unknown = {}): Promise<VaultBody> {
    return this.call({ method: "PUT", path, body });
  }

  delete(path: string): Promise<VaultBody> {
    return this.call({ method: "DELETE", path });
  }

  /**
   * Keys below a path; none where there is nothing.
   *
   * @param wrapSeconds ask for the answer response-wrapped, and unwrap it
   */
  async list(path: string, wrapSeconds?: number): Promise<string[]> {
    const { status, body } = await this.send({ method: "LIST", path, wrapSeconds });
    if (status === 404) return [];
    if (status >= 400) throw new VaultError("LIST", path, status, body.errors ?? []);
    const { data } = body.wrap_info
      ? await this.withToken(body.wrap_info.token).write("sys/wrapping/unwrap")
      : body;
    const keys = data?.keys;
    return Array.isArray(keys) ? keys.map(String) : [];
  }

  /** Like {@link call}, but leaves the judgement of the status to the caller. */
  send(request: VaultRequest): Promise<VaultResponse> {
    const url = new URL(`v1/${request.path}`, withSlash(this.options.address));
    const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers: Record<string, string> = { "X-Vault-Request": "true" };
    if (this.options.token !== undefined) headers["X-Vault-Token"] = this.options.token;
    if (this.options.namespace) headers["X-Vault-Namespace"] = this.options.namespace;
    if (request.wrapSeconds !== undefined) headers["X-Vault-Wrap-TTL"] = `${request.wrapSeconds}s`;
    if (payload !== undefined) {
      headers["Content-Type"] = "application/json";
      headers["Content-Length"] = String(Buffer.byteLength(payload));
    }
    return new Promise((resolve, reject) => {
      const fail = (reason: string) => {
        reject(new Error(`${request.method} ${request.path} at ${this.options.address}: ${reason}`));
      };
      const settings = { method: request.method, headers, timeout: TIMEOUT_MS };
      const receive = (message: http.IncomingMessage) => {
        const chunks: Buffer[] = [];
        message.on("data", (chunk: Buffer) => chunks.push(chunk));
        message.on("error", (error) => fail(error.message));
        message.on("end", () => {
          const body = parse(Buffer.concat(chunks).toString("utf8"));
          if (body === undefined) fail(`${message.statusCode ?? 0}, and the answer is not JSON`);
          else resolve({ status: message.statusCode ?? 0, body });
        });
      };
      const call =
        url.protocol === "https:"
          ? https.request(url, { ...settings, ca: this.options.caCertificate }, receive)
          : http.request(url, settings, receive);
      call.on("timeout", () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      call.on("error", (error) => fail(reasonOf(error)));
      call.end(payload);
    });
  }
}

function withSlash(address: string): string {
  return address.endsWith("/") ? address : `${address}/`;
}

function parse(text: string): VaultBody | undefined {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text) as VaultBody;
  } catch {
    return undefined;
  }
}

function reasonOf(error: Error): string {
  // A refused connection to a name with several addresses is an AggregateError without a message.
  if (error instanceof AggregateError) return error.errors.map((inner: Error) => inner.message).join(", ");
  return error.message;
}
