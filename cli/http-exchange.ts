import * as http from "node:http";
import * as https from "node:https";

/** One request of HTTP. */
export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: string;
  /** PEM of the certificate authority, where the system's do not do. */
  readonly caCertificate?: string;
  /** How long the server may say nothing, in milliseconds; the whole answer may take {@link PATIENCE} times as long. */
  readonly timeoutMs: number;
}

/** A server that goes on saying something, a blank now and then, say, does not keep us for ever. */
const PATIENCE = 2;
const MEBIBYTE = 1024 * 1024;
/** Most bytes of an answer's body; a list of a million leases has half of it. */
export const LONGEST_ANSWER = 64 * MEBIBYTE;

/** A whole answer, headers and body. */
export interface HttpAnswer {
  readonly status: number;
  readonly location?: string;
  readonly contentType?: string;
  /** `Retry-After`, as it came. */
  readonly retryAfter?: string;
  /** `Date`, as it came. */
  readonly date?: string;
  readonly text: string;
}

/**
 * Sends one request and follows no redirect. It ends in bounded time, and holds no more than a bounded answer, whatever the
 * server does. On `node:https` and not `fetch`, because `fetch` takes no certificate authority
 * of the caller's (VAULT_CACERT).
 *
 * @throws Error with the reason, if there is no answer or half of one
 */
export function exchange(url: URL, request: HttpRequest): Promise<HttpAnswer> {
  const { method, headers, payload, caCertificate: ca, timeoutMs } = request;
  return new Promise((resolve, reject) => {
    let begun = false;
    const settings = { method, headers, timeout: timeoutMs };
    const call =
      url.protocol === "https:" ? https.request(url, { ...settings, ca }) : http.request(url, settings);
    const end = (settle: () => void) => {
      clearTimeout(whole);
      settle();
    };
    const fail = (error: Error) =>
      end(() => reject(new Error(begun ? `the answer breaks off (${reasonOf(error)})` : reasonOf(error))));
    const giveUp = (reason: string) => {
      end(() => reject(new Error(reason)));
      call.destroy();
    };
    const most = PATIENCE * timeoutMs;
    const whole = setTimeout(() => giveUp(`no whole answer within ${most / 1000} s`), most);
    call.on("timeout", () => giveUp(`no answer within ${timeoutMs / 1000} s`));
    call.on("response", (message) => {
      begun = true;
      const chunks: Buffer[] = [];
      let length = 0;
      message.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > LONGEST_ANSWER) giveUp(`the answer is longer than ${LONGEST_ANSWER / MEBIBYTE} MiB`);
        else chunks.push(chunk);
      });
      message.on("error", fail);
      message.on("end", () => {
        if (!message.complete) return fail(new Error("incomplete"));
        const { location, date, "content-type": contentType, "retry-after": retryAfter } = message.headers;
        const text = Buffer.concat(chunks).toString("utf8");
        end(() =>
          resolve({ status: message.statusCode ?? 0, location, contentType, retryAfter, date, text }),
        );
      });
    });
    call.on("error", fail);
    call.on("upgrade", (_message, socket) => {
      socket.destroy();
      fail(new Error("the answer is 101, another protocol"));
    });
    // Of some ends there is no other word. Once an answer has begun, it says itself how it ends.
    call.on("close", () => {
      if (!begun) fail(new Error("the connection was closed"));
    });
    call.end(payload);
  });
}

function reasonOf(error: Error): string {
  // A refused connection to a name with several addresses is an AggregateError without a message.
  if (error instanceof AggregateError) return error.errors.map((inner: Error) => inner.message).join(", ");
  return error.message;
}
