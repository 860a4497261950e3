import * as http from "node:http";
import type { AddressInfo } from "node:net";

/** A proxy before an engine that makes of it one that replaces what is written, where others merge. */
export interface ReplacingProxy {
  /** URL to use in place of the engine's. */
  readonly address: string;
  /** Writes of dynamic roles so far. */
  writes(): number;
  /** What a written static role, connection or AppRole held before and what the write did not send, each as `path: fields`. */
  readonly left: string[];
  /** Called after each write of a dynamic role, before it is answered. */
  onWrite?: (path: string) => Promise<void>;
  close(): Promise<void>;
}

const DYNAMIC = /^\/v1\/.+\/roles\/[^/]+$/;
const MERGED = /^\/v1\/(.+\/(static-roles|config)|auth\/.+\/role)\/[^/]+$/;

/**
 * A dynamic role is deleted before each write, so that the engine has what was sent and nothing else. To delete what else is
 * written would change passwords and RoleIDs: there it is noted what the write leaves to the engine to remember.
 *
 * @param address URL of the engine, which has no TLS
 */
export async function startReplacingProxy(address: string): Promise<ReplacingProxy> {
  const { hostname, port } = new URL(address);
  let writes = 0;
  const left: string[] = [];
  const call = (method: string, path: string, headers: http.OutgoingHttpHeaders, body?: Buffer) =>
    new Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
      const length = body === undefined ? {} : { "content-length": body.length };
      const others = { ...headers };
      delete others["transfer-encoding"];
      delete others["content-length"];
      const request = http.request(
        { hostname, port, method, path, headers: { ...others, ...length } },
        (answer) => {
          collect(answer).then(
            (content) =>
              resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: content }),
            reject,
          );
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  const handle = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const { method = "GET", url: path = "", headers } = request;
    const body = await collect(request);
    const writing = method === "POST" || method === "PUT";
    const reading = { ...headers, "content-type": undefined };
    delete reading["content-type"];
    if (writing && DYNAMIC.test(path)) {
      writes++;
      await call("DELETE", path, reading);
    } else if (writing && MERGED.test(path)) {
      const { status, body: before } = await call("GET", path, reading);
      const fields = status === 200 ? notSent(before, body) : [];
      if (fields.length > 0) left.push(`${path.slice("/v1/".length)}: ${fields.join(", ")}`);
    }
    const answer = await call(method, path, headers, body.length === 0 ? undefined : body);
    if (writing && DYNAMIC.test(path)) await proxy.onWrite?.(path.slice("/v1/".length));
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  };
  const server = http.createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: ReplacingProxy = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    writes: () => writes,
    left,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Told by the engine, and not for anyone to set. */
const NO_SETTINGS = ["connection_details", "last_vault_rotation"];

type Data = Readonly<Record<string, unknown>>;

/** Fields that hold something and that a write does not name. */
function notSent(before: Buffer, body: Buffer): string[] {
  const { data } = JSON.parse(before.toString()) as { data: Data };
  const details = (data.connection_details ?? {}) as Data;
  const sent = JSON.parse(body.toString()) as Data;
  return Object.entries({ ...data, ...details })
    .filter(([name, value]) => !(name in sent) && !NO_SETTINGS.includes(name) && !isEmpty(value))
    .map(([name]) => name)
    .sort();
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === "" ||
    value === 0 ||
    value === false ||
    (typeof value === "object" && Object.keys(value).length === 0)
  );
}
