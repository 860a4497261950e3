import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { Client } from "pg";
import { proveEnvironment } from "../../cli/proof";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "./announce";
import { asSuperuser, connect, issue, type Credential } from "./credential";
import { DATABASE, MOUNT, Scenario, secretsIn, written } from "./operator-scenario";

jest.setTimeout(180_000);

const WEB = "shop-local-web";
const STATIC = `${MOUNT}/static-creds/legacy`;

let sandbox: Sandbox;
let scenario: Scenario;
let folder: string;

beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  folder = sandbox.directory;
  scenario = new Scenario(sandbox);
  await scenario.deploy();
});
afterAll(() => sandbox?.stop());

const secretIds = async (approle: string) =>
  (await sandbox.vault.client().list(`auth/shop-local/approle/role/${approle}/secret-id`)).length;
const logIn = (secretId: string) => {
  const { role_id, login_path } = scenario.outputs.approles[WEB]!;
  return sandbox.vault.client().withToken(undefined).write(login_path, { role_id, secret_id: secretId });
};

describe("secret-id", () => {
  test("prints a wrapping token and nothing else, which gives a SecretID once", async () => {
    const { code, out, err } = await scenario.run("secret-id", [WEB]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^[A-Za-z0-9._-]+$/);
    const holder = sandbox.vault.client().withToken(out);
    const { data } = await holder.write("sys/wrapping/unwrap");
    expect((await logIn(String(data?.secret_id))).auth?.client_token).toBeDefined();
    await expect(holder.write("sys/wrapping/unwrap")).rejects.toThrow(/wrapping token/);
  });

  test("keeps to the time asked for, as JSON says", async () => {
    const answer = await scenario.json<{ token: string; ttl: number }>("secret-id", [
      WEB,
      "--wrap-ttl",
      "5m",
    ]);
    expect(answer).toMatchObject({
      ...{ code: 0, approle: WEB, ttl: 300 },
      creation_path: `auth/shop-local/approle/role/${WEB}/secret-id`,
    });
    const longer = await scenario.run("secret-id", [WEB, "--wrap-ttl", "1h"]);
    expect(longer).toMatchObject({ code: 2, out: "", err: expect.stringContaining("403") as string });
  });

  test("writes it to a file that only its owner reads, and prints the file's name", async () => {
    const file = path.join(folder, "secret-id");
    const { code, out, err } = await scenario.run("secret-id", [WEB, "--unwrap-to", file]);
    expect({ code, out, err }).toEqual({ code: 0, out: file, err: "" });
    const { text, mode } = written(file);
    expect(mode).toBe(0o600);
    expect((await logIn(text)).auth?.client_token).toBeDefined();

    const before = await secretIds(WEB);
    const refused = await scenario.run("secret-id", [WEB, "--unwrap-to", file]);
    expect(refused).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(/is there already.*\n.*--force/) as string,
    });
    expect(await secretIds(WEB)).toBe(before);
    expect(written(file).text).toBe(text);

    expect(await scenario.run("secret-id", [WEB, "--unwrap-to", file, "--force"])).toMatchObject({ code: 0 });
    expect(written(file).text).not.toBe(text);
    expect(fs.readdirSync(folder).filter((name) => name.startsWith("secret-id"))).toEqual(["secret-id"]);
  });

  test("issues none for a file that cannot be", async () => {
    const before = await secretIds(WEB);
    const file = path.join(folder, "nowhere", "secret-id");
    const { code, err } = await scenario.run("secret-id", [WEB, "--unwrap-to", file]);
    expect(code).toBe(2);
    expect(err).toMatch(/There is no folder .*nowhere/);
    expect(await secretIds(WEB)).toBe(before);
  });

  test("says which AppRoles there are", async () => {
    const { code, err } = await scenario.run("secret-id", ["web"]);
    expect(code).toBe(2);
    expect(err).toMatch(/no AppRole "web".\nIt has shop-local-api, /);
  });
});

describe("rotate-root", () => {
  test("changes the engine's password, leaves credentials, and sees that the engine still issues", async () => {
    const verifier = "SELECT rolpassword FROM pg_authid WHERE rolname = 'shop_local_manager'";
    const [before] = await asSuperuser(sandbox, verifier);
    const credential = await issue(sandbox, `${MOUNT}/creds/reader`);
    const { code, out } = await scenario.run("rotate-root");
    expect(code).toBe(0);
    expect(out).toMatch(
      /Checked: shop-local-\S+ obtained a credential of \S+, logged in to PostgreSQL, and gave it up\.$/,
    );
    expect(secretsIn(sandbox, out, [credential])).toEqual([]);
    expect((await asSuperuser(sandbox, verifier))[0]).not.toBe(before);
    await (await connect(sandbox, credential, DATABASE)).end();
  });

  test("claims no new password where something in front of Vault answers that there is", async () => {
    let body = "";
    const proxy = http.createServer((request, response) => {
      if (request.url?.includes("/rotate-root/")) {
        request.resume();
        response.writeHead(body === "" ? 204 : 200, { "Content-Type": "application/json" }).end(body);
        return;
      }
      const { method, headers } = request;
      const to = http.request(
        new URL(request.url ?? "", sandbox.vault.address),
        { method, headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        },
      );
      request.pipe(to);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const VAULT_ADDR = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      for (body of ["", JSON.stringify({ request_id: "1", data: {} })]) {
        const { code, out, err } = await scenario.run("rotate-root", [], { VAULT_ADDR });
        expect(code).toBe(1);
        expect(out).toBe("shop_local_manager has no new password.");
        expect(err).toMatch(/PostgreSQL has shop_local_manager as before/);
        const blind = await scenario.run("rotate-root", [], { VAULT_ADDR, PGUSER: undefined });
        expect(blind.code).toBe(0);
        expect(blind.out).toMatch(
          /^A new password .* was asked for, and answered as done\. That .* was not seen: /,
        );
      }
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  });

  test("fails where no credential can be used afterwards", async () => {
    await asSuperuser(sandbox, `REVOKE CONNECT ON DATABASE ${DATABASE} FROM ${baseRoles().join(", ")}`);
    const answer = await scenario.json<{ problem: string }>("rotate-root");
    await asSuperuser(sandbox, `GRANT CONNECT ON DATABASE ${DATABASE} TO ${baseRoles().join(", ")}`);
    expect(answer).toMatchObject({ code: 1, rotated: true });
    expect(answer.problem).toMatch(/permission denied for database/);
  });
});

describe("rotate", () => {
  test("gives a static login a new password, and sees that the old one is refused", async () => {
    const old = await issue(sandbox, STATIC);
    const { code, out } = await scenario.run("rotate", ["legacy"]);
    const now = await issue(sandbox, STATIC);
    expect(code).toBe(0);
    expect(out).toMatch(
      /Checked: shop_local_legacy logs in with the new password, and is refused with the old one\.$/,
    );
    expect(secretsIn(sandbox, out, [old, now])).toEqual([]);
    await expect(connect(sandbox, old, DATABASE)).rejects.toMatchObject({ code: "28P01" });
    await (await connect(sandbox, now, DATABASE)).end();
  });

  test("leaves no SecretID and no token of the application that it looks as", async () => {
    const before = await secretIds(WEB);
    const tokens = () => sandbox.vault.client().list("auth/token/accessors");
    const accessors = (await tokens()).length;
    expect(await scenario.run("rotate", ["legacy"])).toMatchObject({ code: 0 });
    expect(await secretIds(WEB)).toBe(before);
    expect((await tokens()).length).toBeLessThanOrEqual(accessors);
  });

  describe("--end-sessions", () => {
    const login = "shop_local_legacy";
    const password = "SELECT rolpassword FROM pg_authid WHERE rolname = 'shop_local_legacy'";
    const canLogIn = () =>
      asSuperuser(sandbox, `SELECT rolcanlogin FROM pg_roles WHERE rolname = '${login}'`);
    const logsIn = (attempt: string) =>
      connect(sandbox, { username: login, password: attempt, leaseId: "" }, DATABASE).then(
        async (client) => {
          await client.end();
          return true;
        },
        () => false,
      );
    const superuser = () => ({
      PGUSER: sandbox.postgres.superuser,
      PGPASSWORD: sandbox.postgres.superuserPassword,
    });
    const deployer = () => ({ PGUSER: "terraform", PGPASSWORD: sandbox.env.PGPASSWORD });

    beforeAll(async () => {
      // What a client may take to log in is what this takes.
      await asSuperuser(sandbox, "ALTER SYSTEM SET authentication_timeout = '2s'");
      await asSuperuser(sandbox, "SELECT pg_reload_conf()");
    });

    /** Whoever has the password, and does all to keep the login: many at once, for as long as it can. */
    function holder(leaked: Credential) {
      const known = [leaked.password];
      let isOver = false;
      const attack = async () => {
        while (!isOver) {
          for (const attempt of [...known]) {
            await connect(sandbox, { ...leaked, password: attempt }, DATABASE).then(
              async (client) => {
                try {
                  while (!isOver) await client.query("ALTER ROLE session_user PASSWORD 'mine'");
                  await client.end();
                } catch {
                  await client.end().catch(() => undefined);
                }
              },
              () => undefined,
            );
          }
        }
      };
      known.push("mine");
      const all = Array.from({ length: 3 }, attack);
      return async () => {
        isOver = true;
        await Promise.all(all);
      };
    }

    /** Takes its time to prove who it is, and then sets a password of its own. */
    async function slow({ username, password: leaked }: Credential, ms: number): Promise<void> {
      const { host, port } = sandbox.postgres;
      const client = new Client({
        ...{ host, port, user: username, database: DATABASE, connectionTimeoutMillis: 10_000 },
        password: () => new Promise<string>((resolve) => setTimeout(() => resolve(leaked), ms)),
      });
      client.on("error", () => undefined);
      await client
        .connect()
        .then(() => client.query("ALTER ROLE session_user PASSWORD 'mine'"))
        .catch(() => undefined);
      // One that was ended before it was in never says so.
      void client.end().catch(() => undefined);
    }

    test("without it, a session sets a password of its own, which is said by the next", async () => {
      const old = await issue(sandbox, STATIC);
      const session = await connect(sandbox, old, DATABASE);
      expect(await scenario.run("rotate", ["legacy"])).toMatchObject({ code: 0 });
      await session.query("ALTER ROLE session_user PASSWORD 'mine'");
      expect(await logsIn("mine")).toBe(true);
      const { code, out } = await scenario.run("rotate", ["legacy"]);
      expect(code).toBe(0);
      expect(out).toMatch(/did not take the password that the engine had.*\n?.*--end-sessions/);
      await session.end();
    });

    test.each([
      ["an administrator", superuser],
      ["the login that deploys", deployer],
    ])("ends whoever has the password and its own, as %s", async (_, variables) => {
      const leaked = await issue(sandbox, STATIC);
      const session = await connect(sandbox, leaked, DATABASE);
      for (const sql of [
        "ALTER ROLE session_user PASSWORD 'mine'",
        "BEGIN",
        "ALTER ROLE session_user RESET ALL",
      ])
        await session.query(sql);
      const stop = holder(leaked);
      // What the server compares a password with is read when a client begins to log in, and not when it goes on.
      const begun = [300, 900, 1_500, 2_100, 2_700].map((ms) => slow(leaked, ms));
      const members = `SELECT count(*) FROM pg_auth_members WHERE roleid = '${login}'::regrole`;
      const before = await asSuperuser(sandbox, members);
      const { code, out, err } = await scenario.run("rotate", ["legacy", "--end-sessions"], variables());
      await stop();
      await Promise.all(begun);
      const now = await issue(sandbox, STATIC);
      expect(code === 0 ? "" : err).toBe("");
      expect(out).toMatch(/has a new password\.\nEnded: \d+ sessions? of shop_local_legacy\./);
      expect(out).toMatch(/Checked: shop_local_legacy logs in with the new password/);
      expect(secretsIn(sandbox, out + err, [leaked, now])).toEqual([]);
      await expect(session.query("SELECT 1")).rejects.toThrow();
      expect(await logsIn("mine")).toBe(false);
      expect(await logsIn(leaked.password)).toBe(false);
      expect(await logsIn(now.password)).toBe(true);
      expect(await canLogIn()).toEqual([true]);
      expect(await asSuperuser(sandbox, members)).toEqual(before);
      const left = `SELECT 1 FROM pg_stat_activity WHERE usename = '${login}'`;
      expect(await asSuperuser(sandbox, left)).toEqual([]);
    });

    test("as the operator ends sessions that set no password in time, or says that somebody is faster", async () => {
      const leaked = await issue(sandbox, STATIC);
      const session = await connect(sandbox, leaked, DATABASE);
      await session.query("ALTER ROLE session_user PASSWORD 'mine'");
      const quiet = await scenario.json<{ sessionsEnded: number; hadOtherPassword: boolean }>("rotate", [
        "legacy",
        "--end-sessions",
      ]);
      expect(quiet).toMatchObject({ code: 0, hadOtherPassword: true });
      expect(quiet.sessionsEnded).toBeGreaterThan(0);
      await expect(session.query("SELECT 1")).rejects.toThrow();
      expect(await logsIn("mine")).toBe(false);

      const stop = holder(await issue(sandbox, STATIC));
      const { code, err } = await scenario.run("rotate", ["legacy", "--end-sessions"]);
      await stop();
      const { password: now } = await issue(sandbox, STATIC);
      // Who is faster is not for this test to say, but the command says which it was.
      if (code !== 0)
        expect(err).toMatch(/as soon as it is set\.\n.*postgres-login\.sql|check afterwards did not hold/);
      expect(code === 0).toBe(await logsIn(now));
      expect(await scenario.run("rotate", ["legacy", "--end-sessions"], superuser())).toMatchObject({
        code: 0,
      });
    });

    test("opens a login that an interrupted one has left shut", async () => {
      await asSuperuser(sandbox, `ALTER ROLE ${login} NOLOGIN`);
      expect(await scenario.run("rotate", ["legacy", "--end-sessions"], superuser())).toMatchObject({
        code: 0,
      });
      expect(await canLogIn()).toEqual([true]);
    });

    test("begins nothing without a login that may end them", async () => {
      const before = await asSuperuser(sandbox, password);
      const none = await scenario.run("rotate", ["legacy", "--end-sessions"], { PGUSER: "" });
      expect(none).toMatchObject({ code: 2, err: expect.stringMatching(/needs a login/) as string });
      await asSuperuser(sandbox, "CREATE ROLE powerless LOGIN PASSWORD 'powerless'");
      await asSuperuser(sandbox, "GRANT CONNECT ON DATABASE postgres TO powerless");
      const powerless = { PGUSER: "powerless", PGPASSWORD: "powerless" };
      const refused = await scenario.run("rotate", ["legacy", "--end-sessions"], powerless);
      expect(refused).toMatchObject({
        code: 2,
        err: expect.stringMatching(/may not end sessions/) as string,
      });
      await asSuperuser(sandbox, "DROP OWNED BY powerless; DROP ROLE powerless");
      expect(await asSuperuser(sandbox, password)).toEqual(before);
    });
  });

  test.each([
    ["reader", /no static role "reader".\nIt has legacy\./],
    ["nobody", /no static role "nobody".\nIt has legacy\./],
  ])("refuses %s, and says what there is", async (name, message) => {
    const { code, err } = await scenario.run("rotate", [name]);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

test("verify proves the dynamic roles and the static one, and leaves nothing", async () => {
  const before = await secretIds(WEB);
  const { code, out } = await scenario.run("verify", ["--json"], {
    VAULT_TOKEN: sandbox.verifier.vaultToken,
  });
  const { held, checks } = JSON.parse(out) as {
    held: boolean;
    checks: { subject: string; name: string; result: string }[];
  };
  expect({ code, held }).toEqual({ code: 0, held: true });
  const ofStatic = checks.filter(({ subject }) => subject === `${WEB} as legacy`);
  expect(ofStatic.filter(({ result }) => result !== "ok")).toEqual([]);
  expect(ofStatic.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      "read the static credential",
      "log in to PostgreSQL",
      "may select from tables of app",
    ]),
  );
  expect(checks).toContainEqual(
    expect.objectContaining({ subject: "shop-local-api", name: "may not read other roles", result: "ok" }),
  );
  expect(await secretIds(WEB)).toBe(before);
});

test("verify does not wait for itself where a login has an owner's rights", async () => {
  await asSuperuser(sandbox, "GRANT shop_local_owner TO shop_local_legacy");
  const { roles, approles } = scenario.outputs;
  const outputs = {
    ...scenario.outputs,
    roles: { owner: roles.owner! },
    approles: {
      "shop-local-migrations": approles["shop-local-migrations"]!,
      [WEB]: { ...approles[WEB]!, roles: ["legacy"] },
    },
  };
  const began = Date.now();
  const checks = await proveEnvironment(outputs, { vaultToken: sandbox.verifier.vaultToken });
  await asSuperuser(sandbox, "REVOKE shop_local_owner FROM shop_local_legacy");
  expect(Date.now() - began).toBeLessThan(30_000);
  const failed = checks.filter(({ result }) => result === "failed");
  for (const { subject, detail } of failed) {
    expect(subject).toBe(`${WEB} as legacy`);
    expect(detail).toMatch(/^it was allowed/);
  }
  const truncated = failed.find(({ name }) => name === "may not truncate tables of app");
  expect(truncated?.detail).toMatch(/^it was allowed, and waited for a lock: TRUNCATE /);
  const ofLegacy = checks.filter(({ subject }) => subject === `${WEB} as legacy`);
  expect(ofLegacy).toContainEqual(
    expect.objectContaining({ name: "has no special attribute", result: "ok" }),
  );
  const left = "SELECT 1 FROM pg_stat_activity WHERE usename = 'shop_local_legacy'";
  expect(await asSuperuser(sandbox, left)).toEqual([]);
});

test("OpenBao's variables come before Vault's", async () => {
  const wrong = { VAULT_ADDR: "http://127.0.0.1:9", VAULT_TOKEN: "wrong" };
  const right = { BAO_ADDR: sandbox.vault.address, BAO_TOKEN: sandbox.operator.vaultToken };
  expect(await scenario.run("status", [], { ...wrong, ...right })).toMatchObject({ code: 0 });
  expect(await scenario.run("status", [], { ...right, BAO_TOKEN: "wrong" })).toMatchObject({ code: 2 });
});

function baseRoles(): string[] {
  return [...new Set(Object.values(scenario.outputs.roles).map(({ base_role }) => `"${base_role}"`))];
}
