import * as http from "node:http";
import * as https from "node:https";

/** One request of HTTP. */
export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: string;
  /** PEM of the certificate authority, where the system's do not do. */
  readonly caCertificate?: string;
  /** How long the server may say nothing, in milliseconds. */
  readonly timeoutMs: number;
}

/** A whole answer, headers and body. */
export interface HttpAnswer {
  readonly status: number;
  readonly location?: string;
  readonly contentType?: string;
  readonly text: string;
}

/**
 * Sends one request and follows no redirect. On `node:https` and not `fetch`, because `fetch` takes no certificate authority
 * of the caller's (VAULT_CACERT).
 *
 * @throws Error with the reason, if there is no answer or half of one
 */
export function exchange(url: URL, request: HttpRequest): Promise<HttpAnswer> {
  const { method, headers, payload, caCertificate: ca, timeoutMs } = request;
  return new Promise((resolve, reject) => {
    let tooLate = false;
    let begun = false;
    const fail = (error: Error) => {
      if (tooLate) return reject(new Error(`no answer within ${timeoutMs / 1000} s`));
      reject(new Error(begun ? `the answer breaks off (${reasonOf(error)})` : reasonOf(error)));
    };
    const receive = (message: http.IncomingMessage) => {
      begun = true;
      const chunks: Buffer[] = [];
      message.on("data", (chunk: Buffer) => chunks.push(chunk));
      message.on("error", fail);
      message.on("end", () => {
        if (!message.complete) return fail(new Error("incomplete"));
        const { location, "content-type": contentType } = message.headers;
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: message.statusCode ?? 0, location, contentType, text });
      });
    };
    const settings = { method, headers, timeout: timeoutMs };
    const call =
      url.protocol === "https:"
        ? https.request(url, { ...settings, ca }, receive)
        : http.request(url, settings, receive);
    call.on("timeout", () => {
      tooLate = true;
      call.destroy(new Error("timeout"));
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
