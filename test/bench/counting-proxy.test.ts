import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { startCountingProxy, type CountingProxy } from "../../bench/counting-proxy";

let server: http.Server;
let proxy: CountingProxy;
/** Requests that the server has and has not answered yet. */
let held: http.ServerResponse[];

beforeEach(async () => {
  held = [];
  server = http.createServer((_, response) => void held.push(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = await startCountingProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  await proxy.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Sends requests at the same time and answers them when the server has all. */
async function together(count: number): Promise<void> {
  const requests = Array.from({ length: count }, () => fetch(proxy.address).then((answer) => answer.text()));
  while (held.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const response of held.splice(0)) response.end("answer");
  await Promise.all(requests);
  // The proxy sees the end of an answer a moment after the client may.
  await new Promise((resolve) => setTimeout(resolve, 50));
}

test("the proxy counts requests, and how many wait at the same time", async () => {
  await together(3);
  await together(1);
  expect([proxy.count(), proxy.mostAtOnce()]).toEqual([4, 3]);
});

test("after a reset both begin anew", async () => {
  await together(3);
  proxy.reset();
  expect([proxy.count(), proxy.mostAtOnce()]).toEqual([0, 0]);
  await together(2);
  expect([proxy.count(), proxy.mostAtOnce()]).toEqual([2, 2]);
});
