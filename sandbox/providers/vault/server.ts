// A Vault or OpenBao server over its HTTP API.
import { readFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

import { trimSlashes } from "./paths";

export interface VaultSettings {
  readonly address: string;
  readonly token: string;
  readonly namespace: string;
  readonly caCertFile: string;
  readonly skipChildToken: boolean;
  readonly maxLeaseTtlSeconds: number;
  readonly tokenName: string;
}

export type Data = Readonly<Record<string, unknown>>;

/** An answer of the server that is an error. The request's body, which may hold secrets, is not in it. */
export class VaultError extends Error {
  public constructor(
    method: string,
    url: URL,
    public readonly status: number,
    public readonly errors: readonly string[],
  ) {
    super(
      `${method} ${url.origin}${url.pathname} failed with ${status}: ${errors.join("; ") || "no reason given"}`,
    );
  }
}

const RETRIES = 2;

export class VaultServer {
  private token: Promise<string> | undefined;
  private ofToken: Promise<string> | undefined;
  private childToken: string | undefined;

  public constructor(private readonly settings: VaultSettings) {}

  /** Undefined where there is nothing at the path. */
  public async read(path: string, namespace = ""): Promise<Data | undefined> {
    try {
      return (await this.call("GET", path, undefined, namespace)) ?? undefined;
    } catch (error) {
      if (error instanceof VaultError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }

  public async write(path: string, data: Data, namespace = ""): Promise<Data | undefined> {
    return this.call("PUT", path, data, namespace);
  }

  public async post(path: string, data: Data, namespace = ""): Promise<Data | undefined> {
    return this.call("POST", path, data, namespace);
  }

  public async delete(path: string, namespace = ""): Promise<void> {
    await this.call("DELETE", path, undefined, namespace);
  }

  /** Where a path inside of it is: below the provider's, or else the token's, as the real plugin has it. */
  public async namespace(inside = ""): Promise<string> {
    this.ofToken ??= this.settings.namespace === "" ? this.tokenNamespace() : Promise.resolve("");
    return [this.settings.namespace, await this.ofToken, inside].filter((each) => each !== "").join("/");
  }

  private async tokenNamespace(): Promise<string> {
    const answer = await this.send("GET", "auth/token/lookup-self", undefined, this.settings.token, "");
    const path = answer?.namespace_path;
    return typeof path === "string" ? trimSlashes(path) : "";
  }

  /** The token that this run made for itself ends with it. */
  public async close(): Promise<void> {
    if (this.childToken !== undefined) {
      await this.send("POST", "auth/token/revoke-self", {}, this.childToken, await this.namespace());
    }
  }

  private async call(
    method: string,
    path: string,
    body: Data | undefined,
    namespace: string,
  ): Promise<Data | undefined> {
    const inside = await this.namespace(namespace);
    this.token ??= this.obtainToken();
    return this.send(method, path, body, await this.token, inside);
  }

  /** A token of limited life, as the real plugin makes one, so that a long-lived one is used for one call only. */
  private async obtainToken(): Promise<string> {
    const { token, skipChildToken, maxLeaseTtlSeconds, tokenName } = this.settings;
    if (skipChildToken) {
      return token;
    }
    const ttl = `${maxLeaseTtlSeconds}s`;
    const request = { display_name: tokenName, ttl, explicit_max_ttl: ttl, renewable: false };
    const answer = await this.send("POST", "auth/token/create", request, token, await this.namespace());
    this.childToken = String((answer?.auth as Data | undefined)?.client_token);
    return this.childToken;
  }

  private async send(
    method: string,
    path: string,
    body: Data | undefined,
    token: string,
    namespace: string,
  ): Promise<Data | undefined> {
    const url = new URL(`/v1/${path.split("/").map(encodeURIComponent).join("/")}`, this.settings.address);
    const headers = {
      "X-Vault-Request": "true",
      "X-Vault-Token": token,
      ...(namespace === "" ? {} : { "X-Vault-Namespace": namespace }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    };
    for (let attempt = 0; ; attempt += 1) {
      let answer = await this.exchange(method, url, headers, body);
      if (answer.status === 307 && answer.location !== undefined) {
        // A standby that cannot hand the request on names the leader; like the real plugin, we follow once.
        const leader = new URL(answer.location, url);
        if (leader.protocol === url.protocol || leader.protocol === "https:") {
          answer = await this.exchange(method, leader, headers, body);
        }
      }
      const { status, text } = answer;
      if (status >= 200 && status < 300) {
        return parse(text);
      }
      // What a server says that cannot answer now: in front of it, sealed, in the middle of an election, or Vault in the
      // moment in which it enables or disables an audit device (500). The real plugin does the same.
      if (attempt < RETRIES && (status === 412 || (status >= 500 && status !== 501))) {
        await new Promise((resolve) => setTimeout(resolve, 500 * (attempt + 1)));
        continue;
      }
      const errors = (parse(text)?.errors ?? []) as string[];
      throw new VaultError(method, url, status, errors);
    }
  }

  private exchange(
    method: string,
    url: URL,
    headers: Record<string, string>,
    body: Data | undefined,
  ): Promise<{ status: number; text: string; location: string | undefined }> {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const { caCertFile } = this.settings;
    const authority = caCertFile === "" ? {} : { ca: readFileSync(caCertFile) };
    return new Promise((resolve, reject) => {
      const request = send(url, { method, headers, ...authority, timeout: 60_000 }, (response) => {
        const { statusCode: status = 0, headers: answered } = response;
        collect(response).then((text) => resolve({ status, text, location: answered.location }), reject);
      });
      request.on("timeout", () => request.destroy(new Error("no answer within 60 s")));
      request.on("error", (error) =>
        reject(new Error(`${method} ${url.origin}${url.pathname}: ${error.message}`, { cause: error })),
      );
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The part of an answer that matters: its `data`, or all of it where there is none. */
function parse(text: string): Data | undefined {
  if (text.trim() === "") {
    return undefined;
  }
  try {
    const answer = JSON.parse(text) as Data;
    return (answer.data as Data | null | undefined) ?? answer;
  } catch {
    return undefined;
  }
}
