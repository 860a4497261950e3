import * as http from "node:http";
import type { AddressInfo } from "node:net";

/** A proxy before an HTTP server that counts what goes through it. */
export interface CountingProxy {
  /** URL to use in place of the server's. */
  readonly address: string;
  /** Requests so far. */
  count(): number;
  /** Most requests that waited for their answers at the same time, so far. */
  mostAtOnce(): number;
  /** Counts from nothing again. */
  reset(): void;
  close(): Promise<void>;
}

/** @param address URL of the server, which has no TLS */
export async function startCountingProxy(address: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(address);
  const agent = new http.Agent({ keepAlive: true });
  let requests = 0;
  let waiting = 0;
  let most = 0;
  const server = http.createServer((request, response) => {
    requests++;
    most = Math.max(most, ++waiting);
    response.on("close", () => waiting--);
    const { method, url: path, headers } = request;
    const onward = http.request({ agent, hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => requests,
    mostAtOnce: () => most,
    reset: () => {
      requests = 0;
      most = waiting;
    },
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
