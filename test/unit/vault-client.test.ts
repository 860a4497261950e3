import { LONGEST_ANSWER } from "../../cli/http-exchange";
import { RedirectError } from "../../cli/vault-redirect";
import { UnexpectedAnswer, VaultClient, VaultError } from "../../cli/vault-client";
import { selfSignedCertificate } from "../../sandbox/providers/protocol/certificate";
import { FakeVault, HEALTH, http, json, NOT_THERE, type Seen } from "./fake-vault";

const TOKEN = "the-token";
const redirect = (status: number, location: string) => http(`${status} Redirect`, { Location: location }, "");
const client = ({ address }: { address: string }, more: object = {}) =>
  new VaultClient({ address, token: TOKEN, namespace: "team", timeoutMs: 500, ...more });
const tokens = ({ seen }: FakeVault) => seen.map(({ token }) => token);

let vault: FakeVault;
let other: FakeVault;
beforeEach(async () => {
  vault = await FakeVault.start();
  other = await FakeVault.start();
});
afterEach(() => Promise.all([vault.stop(), other.stop()]));

describe("a redirect", () => {
  const kept = ({ method, path, token, namespace, body }: Seen) => ({ method, path, token, namespace, body });
  const asked = {
    method: "PUT",
    path: "x/database/config/x",
    token: TOKEN,
    namespace: "team",
    body: { a: 1 },
  };

  test.each([301, 302, 307])(
    "%d within a server is followed, with method, token and body",
    async (status) => {
      vault.instead = ({ path }, index) =>
        index === 0 ? redirect(status, `${vault.address}/v1/${path}`) : undefined;
      await client(vault).done("x/database/config/x", { a: 1 });
      expect(vault.seen.map(kept)).toEqual([asked, asked]);
    },
  );

  test("to the active server is followed, if the server that was named says that it is that", async () => {
    vault.instead = ({ path }) =>
      path === "sys/leader"
        ? json(200, { ha_enabled: true, is_self: false, leader_address: other.address })
        : redirect(307, `${other.address}/v1/${path}`);
    const standby = client(vault);
    await standby.done("x/database/config/x", { a: 1 });
    await standby.read("x/database/config/x");
    expect(other.seen.map(kept)).toEqual([asked, { ...asked, method: "GET", body: {} }]);
    const word = vault.seen.filter(({ path }) => path === "sys/leader");
    expect(word.map(({ token, namespace }) => [token, namespace])).toEqual([[undefined, undefined]]);
  });

  test.each([
    ["another server", () => ({ leader_address: "http://127.0.0.1:1" })],
    ["none", () => ({ ha_enabled: false })],
    ["a word that is no address", () => ({ leader_address: 1 })],
  ])("to another host is refused where the server names %s", async (_, leader) => {
    vault.instead = ({ path }) =>
      path === "sys/leader" ? json(200, leader()) : redirect(307, `${other.address}/v1/${path}`);
    const problem = await client(vault)
      .read("x/database/config/x")
      .catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(RedirectError);
    expect(problem).toMatchObject({
      message: expect.stringContaining(`another host, ${other.address}`) as string,
      remedy: expect.stringContaining(`VAULT_ADDR=${other.address}`) as string,
    });
    expect(other.seen).toEqual([]);
  });

  test("to the same port by another name is one to another host", async () => {
    const named = other.address.replace("127.0.0.1", "localhost");
    vault.instead = ({ path }) => redirect(307, `${named}/v1/${path}`);
    await expect(client(vault).read("sys/mounts")).rejects.toThrow(/another host, http:\/\/localhost/);
  });

  describe("between http and https", () => {
    let secure: FakeVault;
    let caCertificate: string;
    beforeAll(async () => {
      const { certificatePem: cert, keyPem: key } = selfSignedCertificate("127.0.0.1");
      caCertificate = cert;
      secure = await FakeVault.start({ cert, key });
    });
    afterAll(() => secure.stop());

    test("goes to https on the same host, and what comes later goes there at once", async () => {
      vault.instead = ({ path }) => redirect(301, `${secure.address}/v1/${path}`);
      const balanced = client(vault, { caCertificate });
      const { body } = await balanced.anonymous().send({ method: "GET", path: "sys/health" });
      expect(body).toEqual(HEALTH);
      await balanced.read("x/database/config/x");
      await balanced.withToken("w").read("x/database/config/x");
      // The token never went in the clear.
      expect(tokens(vault)).toEqual([undefined]);
      expect(tokens(secure)).toEqual([undefined, TOKEN, "w"]);
    });

    test("is no way around the certificate", async () => {
      vault.instead = ({ path }) => redirect(301, `${secure.address}/v1/${path}`);
      await expect(client(vault).read("sys/mounts")).rejects.toThrow(/certificate/);
    });

    test("is refused from https to http", async () => {
      secure.instead = ({ path }) => redirect(307, `${vault.address}/v1/${path}`);
      await expect(client(secure, { caCertificate }).read("sys/mounts")).rejects.toThrow(
        /from https to http:/,
      );
      expect(vault.seen).toEqual([]);
    });
  });
});

describe("an answer", () => {
  test("that is a refusal of Vault's has its words", async () => {
    vault.instead = () => json(403, { errors: ["1 error occurred:\n\t* permission denied\n\n"] });
    const problem = await client(vault)
      .read("sys/mounts")
      .catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(VaultError);
    expect(problem).toMatchObject({
      status: 403,
      message: expect.stringContaining("permission denied") as string,
    });
  });

  test.each([
    [403, "<html>"],
    [404, "<html>"],
    [404, "{}"],
    [400, '{"errors":"no"}'],
  ])("%d with %s is no word of Vault's", async (status, text) => {
    vault.instead = () => http(`${status} X`, {}, text);
    await expect(client(vault).list("x/database/config")).rejects.toBeInstanceOf(UnexpectedAnswer);
  });

  test("to a list is nothing only if Vault says so", async () => {
    vault.instead = () => NOT_THERE;
    expect(await client(vault).list("x/database/config")).toEqual([]);
    vault.instead = () => json(404, { errors: ['no handler for route "x". route entry not found.'] });
    await expect(client(vault).list("x/database/config")).rejects.toThrow(/no handler for route/);
    // A wrapped list of nothing, and a path that there is not.
    vault.instead = () => json(404, { errors: ["unsupported path"] });
    expect(await client(vault).list("x/database/config", 60)).toEqual([]);
    await expect(client(vault).list("x/database/config")).rejects.toThrow(/unsupported path/);
    vault.instead = () => json(404, { errors: ["1 error occurred:\n\t* unsupported path\n\n"] });
    await expect(client(vault).list("x/database/config", 60)).rejects.toThrow(/unsupported path/);
  });

  test("that is not wrapped, though it was to be, is not taken", async () => {
    vault.instead = () => json(200, { data: { secret_id: "s" } });
    const request = { method: "PUT", path: "auth/x/role/y/secret-id", wrapSeconds: 60 } as const;
    await expect(client(vault).call(request)).rejects.toThrow(/is not wrapped/);
  });

  test("with a warning says that something is done, and one with data alone does not", async () => {
    vault.instead = () => json(200, { request_id: "r", data: null, warnings: ["careful"] });
    await client(vault).done("x/database/rotate-root/x");
    vault.instead = () => json(200, { data: {} });
    await expect(client(vault).done("x/database/rotate-root/x")).rejects.toThrow(
      /does not say that it is done/,
    );
  });

  test("that does not end is not waited for", async () => {
    vault.isSilent = true;
    await expect(client(vault).read("sys/mounts")).rejects.toThrow(/no answer within 0.5 s/);
  });

  const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
  test.each([
    ["its body", `${HEAD}Content-Length: 999999\r\n\r\n`, " "],
    ["its chunks", `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, "1\r\n \r\n"],
    ["its headers", HEAD, "X: y\r\n"],
    ["its first line", "HTTP/1.1 200 ", "O"],
    ["word that it goes on", "", "HTTP/1.1 102 Processing\r\n\r\n"],
    ["its trailers", `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n`, "X: y\r\n"],
  ])("that drips %s is not waited for, for every request", async (_, beginning, drop) => {
    vault.drips = { beginning, drop };
    const impatient = client(vault, { timeoutMs: 200 });
    const started = Date.now();
    await expect(impatient.read("sys/mounts")).rejects.toThrow(
      /GET sys\/mounts at http:.*: no whole answer within 0.4 s/,
    );
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  test("that is far too long is not kept", async () => {
    vault.instead = () => http("200 OK", {}, " ".repeat(LONGEST_ANSWER + 1));
    const patient = client(vault, { timeoutMs: 30_000 });
    await expect(patient.read("sys/mounts")).rejects.toThrow(
      /GET sys\/mounts at http:.*: the answer is longer than 64 MiB/,
    );
    vault.instead = () => http("200 OK", {}, `${" ".repeat(LONGEST_ANSWER - 11)}{"data":{}}`);
    await patient.read("sys/mounts");
  }, 60_000);

  test("that refuses at length is told in short", async () => {
    vault.instead = () => json(400, { errors: ["no".repeat(1_000_000), "why"] });
    const problem = await client(vault)
      .read("sys/mounts")
      .then(() => "", String);
    expect(problem).toMatch(/^VaultError: GET sys\/mounts: 400 (no)+n?… \(2000005 characters\)$/);
    expect(problem.length).toBeLessThan(2_200);
  });
});

describe("a path", () => {
  test.each(["a//b", "../sys/seal", "a/./b", "/a", "a/", "", "a/\u001b[2J", "a\nb", "a/\u202eb"])(
    "%j is refused before anything is sent",
    async (path) => {
      await expect(client(vault).read(path)).rejects.toThrow(/no path of Vault's API/);
      expect(vault.seen).toEqual([]);
    },
  );

  test.each([
    ["a?b=c#d", "a%3Fb%3Dc%23d"],
    ["a/%2e%2e/b", "a/%252e%252e/b"],
    ["http:/evil@host", "http%3A/evil%40host"],
    ["a b\\c", "a%20b%5Cc"],
  ])("%j stays one path", async (path, sent) => {
    await client(vault)
      .read(path)
      .catch(() => undefined);
    expect(vault.seen.map((request) => request.path)).toEqual([sent]);
  });
});

test.each(["vault.example.com:8200", "unix:///run/vault", "127.0.0.1:8200", "http://h/?x", "nonsense"])(
  "%s is no address, which is said",
  async (address) => {
    await expect(client({ address }).read("sys/mounts")).rejects.toThrow(/is no address of Vault/);
  },
);

test("a password in the address is not shown", async () => {
  const address = "http://user:the-password@127.0.0.1:1/base";
  expect(client({ address }).address).toBe("http://127.0.0.1:1/base");
  const problem = await client({ address }).read("sys/mounts").catch(String);
  expect(problem).toMatch(/ECONNREFUSED/);
  expect(problem).not.toContain("the-password");
});

test("a token with a line end is refused, and not shown", async () => {
  const problem = await client(vault, { token: "secret\n" }).read("sys/mounts").catch(String);
  expect(problem).toMatch(/token holds a character/);
  expect(problem).not.toContain("secret");
});

test.each([
  "https://ops:hunter2@vault.example.com:82000",
  "https://ops:hun/hunter2@vault.example.com",
  "https://ops:8/hunter2@vault.example.com",
  "ops:hunter2@vault.example.com:8200",
  "https://ops:hunter2@vault example.com",
  "https://ops:hunter2%40vault.example.com:82000",
  "http://127.0.0.1:1/?token=hunter2",
  "127.0.0.1?token=hunter2",
  "http://127.0.0.1:1/#hunter2",
  "ftp://ops:hunter2@vault.example.com",
])("what may be a secret in %s is not shown, where no request can be made either", async (address) => {
  const problem = await client({ address }).read("sys/mounts").catch(String);
  expect(`${problem as string} ${client({ address }).address}`).not.toMatch(/hunter2|82000/);
});
