import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolveLogin, type LoginSources } from "../../examples/shared/resolve-login";

let server: Server;
let answer: { status: number; body: string };
let sources: LoginSources;

beforeEach(async () => {
  server = createServer((_request, response) => response.writeHead(answer.status).end(answer.body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  sources = {
    vault: { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: "the-token" },
    credsPath: "database/creds/reader",
    configPath: "secret/data/config",
    passwordPath: "secret/data/password",
    environment: { DELPHI_DB_USER: "legacy", DELPHI_DB_PASSWORD: "p" },
    defaults: { host: "localhost", port: 5432, database: "delphi", username: "delphi" },
  };
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const resolve = () => resolveLogin(sources, () => Promise.resolve());

test.each([
  [403, "{}", "Vault denies database/creds/reader to this token"],
  [404, "{}", "Vault answers 404 to database/creds/reader"],
  [429, "{}", "Vault answers 429 to database/creds/reader"],
  [500, "{}", "Vault answers 500 to database/creds/reader"],
  [503, "{}", "Vault answers 503 to database/creds/reader"],
  [200, "null", "Vault's answer to database/creds/reader is not JSON"],
  [200, "<html>", "Vault's answer to database/creds/reader is not JSON"],
  [200, "{}", "there is no username at database/creds/reader"],
])("a Vault that answers %d %s is passed over, and said to be", async (status, body, reason) => {
  answer = { status, body };
  const { source, passed } = await resolve();
  expect(source).toBe("environment");
  expect(passed[0]).toEqual({ source: "dynamic", reason });
});

test.each([301, 302, 307, 308])("an answer of %d takes the token nowhere", async (status) => {
  const asked: unknown[] = [];
  const other = createServer((request, response) => {
    asked.push(request.headers["x-vault-token"]);
    response.end("{}");
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  server.removeAllListeners("request").on("request", (request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { Location: `http://127.0.0.1:${port}${request.url ?? ""}` }).end();
  });
  const { source, passed } = await resolve();
  await new Promise((resolve) => other.close(resolve));
  expect({ source, asked }).toEqual({ source: "environment", asked: [] });
  expect(passed[0]?.reason).toBe(
    `Vault answers ${status} to database/creds/reader, a redirect, which is not followed`,
  );
});

test.each([400, 405])("an answer of %d says that the request is wrong, and is thrown", async (status) => {
  answer = { status, body: "{}" };
  await expect(resolve()).rejects.toMatchObject({ status });
});

test("a mistake in the program is thrown, and so is a database that cannot be reached", async () => {
  answer = { status: 503, body: "{}" };
  const mistake = new TypeError("undefined is not a function");
  await expect(resolveLogin(sources, () => Promise.reject(mistake))).rejects.toBe(mistake);
  const down = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
  await expect(resolveLogin(sources, () => Promise.reject(down))).rejects.toBe(down);
});

test("PG_DSN comes before the single variables, decoded, with the usual port and the defaults for what it leaves out", async () => {
  answer = { status: 503, body: "{}" };
  const environment = { ...sources.environment, PG_DSN: "postgresql://a%40b:p%2Fw@db.example.com" };
  const { login } = await resolveLogin({ ...sources, environment }, () => Promise.resolve());
  expect(login).toEqual({
    host: "db.example.com",
    port: 5432,
    database: "delphi",
    username: "a@b",
    password: "p/w",
  });
});
