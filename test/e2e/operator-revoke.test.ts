import type { Client } from "pg";
import type { Aftermath } from "../../cli/revocation-check";
import type { StatusReport } from "../../cli/status-report";
import { RateLimit } from "../../cli/rate-limit";
import { VaultClient } from "../../cli/vault-client";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { FULL } from "../security/servers";
import { announce } from "./announce";
import { asSuperuser, connect, issue, verdict, type Credential } from "./credential";
import { DATABASE, Group, MOUNT, Scenario } from "./operator-scenario";

jest.setTimeout(180_000);

type Result = Aftermath & {
  readonly tokens: number;
  readonly secretIds: number;
  readonly failed: readonly { readonly lease: string; readonly cause: string; readonly queued: boolean }[];
};

let sandbox: Sandbox;
let scenario: Scenario;
let reports: Group;

beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  scenario = new Scenario(sandbox);
  await scenario.deploy();
  reports = await scenario.enter("reports");
});
afterAll(() => sandbox?.stop());

const revoke = (...args: string[]) => scenario.json<Result>("revoke", [...args, "--yes"]);
const exists = async (username: string) =>
  (await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${username}'`)).length > 0;

test("of one lease ends that credential and no other", async () => {
  const ended = await reports.session("reader");
  const other = await reports.session("reader");
  const result = await revoke("--lease", ended.credential.leaseId);
  expect(result).toMatchObject({ code: 0, leasesEnded: 1, leasesLeft: [] });
  expect(result.postgres).toEqual({ usersGone: 1, usersLeft: [], sessionsEnded: 0, sessionsLeft: [] });
  expect(await exists(ended.credential.username)).toBe(false);
  expect(await verdict(ended.client, "SELECT 1")).not.toBe("ok");
  expect(await verdict(other.client, "SELECT 1")).toBe("ok");
});

test("of a role ends its credentials, and not those of a role whose name begins the same", async () => {
  const ended = [await reports.session("reader"), await reports.session("reader")];
  const other = await reports.session("reader-2");
  const { code, out } = await scenario.run("revoke", ["--role", "reader", "--yes"]);
  expect(code).toBe(0);
  expect(out).toMatch(
    /^This ends 3 credentials of reader\. shop-local-reports and shop-local-web may obtain/,
  );
  expect(out).toMatch(/\nEnded: 3 credentials\.\nGone from PostgreSQL: 3 users\.$/);
  for (const { client } of ended) expect(await verdict(client, "SELECT 1")).not.toBe("ok");
  expect(await verdict(other.client, "SELECT 1")).toBe("ok");
});

test("of a role with SQL of its own, which neither ends the user nor its password, fails and names the user", async () => {
  const [vault, role] = [sandbox.vault.client(), `${MOUNT}/roles/reader-2`];
  const baseRole = scenario.outputs.roles["reader-2"]?.base_role;
  await revoke("--role", "reader-2");
  const { data } = await vault.read(role);
  await vault.done(role, {
    ...data,
    creation_statements: [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' IN ROLE "${baseRole}"`],
    revocation_statements: ["SELECT 1"],
  });
  const credential = await reports.issue("reader-2");
  const result = await revoke("--role", "reader-2");
  expect(result).toMatchObject({ code: 1, leasesEnded: 1, leasesLeft: [] });
  expect(result.postgres).toMatchObject({ usersGone: 0, usersLeft: [credential.username] });
  await asSuperuser(sandbox, `DROP ROLE "${credential.username}"`);
  await vault.done(role, data ?? {});
});

describe("of an AppRole's group", () => {
  const clients: Client[] = [];
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined))));

  test("ends its tokens, SecretIDs and credentials, while another on the same role goes on", async () => {
    const logins = [await scenario.enter("web"), await scenario.enter("web")];
    const sessions = [await logins[0]!.session("reader"), await logins[1]!.session("reader")];
    const other = await reports.session("reader");
    const result = await revoke("--approle", "shop-local-web");
    expect(result).toMatchObject({ code: 0, tokens: 2, secretIds: 2, leasesEnded: 2, leasesLeft: [] });
    expect(result.postgres).toMatchObject({ usersGone: 2, usersLeft: [] });
    for (const { client, credential } of sessions) {
      expect(await verdict(client, "SELECT 1")).not.toBe("ok");
      expect(await exists(credential.username)).toBe(false);
    }
    await expect(logins[0]!.issue("reader")).rejects.toThrow(/403/);
    expect(await verdict(other.client, "SELECT 1")).toBe("ok");
    await reports.issue("reader");
  });

  test("refuses its SecretIDs from then on, and lets it in again with a new one", async () => {
    const vault = sandbox.vault.client();
    const { role_id, secret_id_path, login_path } = scenario.outputs.approles["shop-local-web"]!;
    const { data } = await vault.write(secret_id_path);
    const logIn = (secret_id: unknown) =>
      vault.withToken(undefined).write(login_path, { role_id, secret_id });
    await logIn(data?.secret_id);
    expect(await revoke("--approle", "shop-local-web")).toMatchObject({ code: 0, secretIds: 1, tokens: 1 });
    await expect(logIn(data?.secret_id)).rejects.toThrow(/invalid (role or )?secret.id/i);
    await scenario.enter("web");
    await revoke("--approle", "shop-local-web");
  });

  /** A token that reads roles by a policy of another name than the environment's, as another team's or a person's. */
  async function stranger(...roles: string[]): Promise<Group> {
    const vault = sandbox.vault.client();
    const rules = roles.map((role) => `path "${MOUNT}/creds/${role}" { capabilities = ["read"] }`);
    await vault.write("sys/policies/acl/strangers", { policy: rules.join("\n") });
    const { auth } = await vault.write("auth/token/create", { policies: ["strangers"] });
    const token = vault.withToken(sandbox.lifetime.remember(auth?.client_token ?? ""));
    return new Group(scenario, reports.application, token);
  }

  test("leaves alone what others read by a way of their own, and names it", async () => {
    const api = await scenario.enter("api");
    const own = await api.issue("writer");
    const other = await (await stranger("writer")).session("writer");
    clients.push(other.client);
    const { code, out } = await scenario.run("revoke", ["--approle", "shop-local-api", "--yes"]);
    expect(await verdict(other.client, "SELECT 1")).toBe("ok");
    expect(await exists(own.username)).toBe(false);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^This ends [^]*1 token[^]*2 of writer[^]*goes on, and is named[^]*\nEnded: 1 SecretID, 1 token, 1 cr/,
    );
    expect(out).toContain(`\n  ${other.credential.leaseId}\n`);
    expect(out).toMatch(
      /not by its tokens: it is somebody else's, or a batch token's[^]*revoke local --role writer/,
    );
    const again = await revoke("--approle", "shop-local-api");
    expect(again).toMatchObject({ code: 0, leasesEnded: 0, leasesLeft: [] });
    expect(again).toMatchObject({ goOn: [{ lease: other.credential.leaseId, role: "writer" }] });
    await revoke("--lease", other.credential.leaseId);
    expect((await scenario.run("revoke", ["--approle", "shop-local-api", "--yes"])).out).not.toMatch(
      /not by its/,
    );
  });

  test("that has batch tokens does not say that it is done while one may have a credential", async () => {
    const vault = sandbox.vault.client();
    const path = "auth/shop-local/approle/role/shop-local-api";
    await vault.done(path, { token_type: "batch" });
    const batch = await scenario.enter("api");
    await vault.done(path, { token_type: "service" });
    const credential = await batch.issue("writer");
    expect(await revoke("--approle", "shop-local-api")).toMatchObject({ code: 0, leasesEnded: 0 });
    await vault.done(path, { token_type: "batch" });
    const { code, out } = await scenario.run("revoke", ["--approle", "shop-local-api", "--yes"]);
    await vault.done(path, { token_type: "service" });
    expect(code).toBe(1);
    expect(out).toMatch(/^This ends [^]*has batch tokens[^]*cannot be revoked[^]*Ended: /);
    expect(out).toContain(credential.leaseId);
    expect(await revoke("--role", "writer")).toMatchObject({ code: 0, leasesEnded: 1 });
  });

  describe("of another stack's, by a policy of that stack's own,", () => {
    const path = "auth/shop-local/approle/role/team-reports";
    const own = `${MOUNT}/creds/writer.for.shop-local.approle.team-reports-24627b00`;

    async function team(policy: string): Promise<Group> {
      const vault = sandbox.vault.client();
      const rule = `path "${MOUNT}/creds/writer" { capabilities = ["read"] }`;
      await vault.write(`sys/policies/acl/${policy}`, { policy: rule });
      await vault.write(path, { token_policies: [policy] });
      const { data: id } = await vault.read(`${path}/role-id`);
      const { data: secret } = await vault.write(`${path}/secret-id`);
      const { auth } = await vault.write("auth/shop-local/approle/login", {
        role_id: id?.role_id,
        secret_id: secret?.secret_id,
      });
      const token = vault.withToken(sandbox.lifetime.remember(auth?.client_token ?? ""));
      return new Group(scenario, reports.application, token);
    }
    afterEach(() => sandbox.vault.client().delete(path));

    test("goes on when one of the environment is ended, and is known as a reader", async () => {
      const theirs = await (await team(own)).session("writer");
      clients.push(theirs.client);
      const credential = await (await scenario.enter("api")).issue("writer");
      const result = await revoke("--approle", "shop-local-api");
      expect(result).toMatchObject({ code: 0, leasesEnded: 1, leasesLeft: [] });
      expect(await verdict(theirs.client, "SELECT 1")).toBe("ok");
      expect(await exists(credential.username)).toBe(false);
      const status = await scenario.json<StatusReport>("status");
      expect(status.roles.find(({ name }) => name === "writer")?.readers).toContain("team-reports");
      expect(status.findings.filter(({ kind }) => kind.includes("approle"))).toEqual([]);
      expect(await revoke("--approle", "team-reports")).toMatchObject({
        ...{ code: 0, tokens: 1, secretIds: 1, leasesEnded: 1 },
      });
    });

    // Vault is given its time.
    (FULL ? test : test.skip).each([own, "by-hand"])(
      "as %s is not said to be ended while a lease of it is there",
      async (policy) => {
        const credential = await (await team(policy)).issue("writer");
        const superuser = await sandbox.postgres.connect();
        await superuser.query("BEGIN; LOCK TABLE pg_catalog.pg_auth_members IN SHARE MODE");
        const { code, out } = await scenario.run("revoke", ["--approle", "team-reports", "--yes"]);
        await superuser.query("ROLLBACK");
        await superuser.end();
        expect(code).toBe(1);
        expect(out).toMatch(
          /^This ends the group of team-reports: 1 SecretID, 1 token[^]*\nLEFT: 1 credential\./,
        );
        expect(out).toContain(credential.leaseId);
        // By now Vault may have ended it by itself. Nothing says "no such AppRole", though no token of it is left.
        if (policy === own)
          expect(await revoke("--approle", "team-reports")).toMatchObject({ code: 0, tokens: 0 });
        else await revoke("--all");
        expect(await exists(credential.username)).toBe(false);
      },
    );
  });

  test("that has nothing ends nothing", async () => {
    expect(await revoke("--approle", "shop-local-web")).toMatchObject({ code: 0, tokens: 0, secretIds: 0 });
  });
});

describe("of a role that drains", () => {
  test("lets a session go on, says so, and ends it when asked", async () => {
    const api = await scenario.enter("api");
    const first = await api.session("writer");
    const plain = await scenario.run("revoke", ["--role", "writer", "--yes"]);
    expect(plain.code).toBe(0);
    expect(plain.out).toContain("1 session without a role go on; --end-sessions ends them.");
    expect(await verdict(first.client, "SELECT 1")).toBe("ok");

    const second = await api.session("writer");
    const result = await revoke("--role", "writer", "--end-sessions");
    expect(result).toMatchObject({ code: 0, postgres: { sessionsEnded: 1, sessionsLeft: [] } });
    expect(await verdict(second.client, "SELECT 1")).not.toBe("ok");
    // That of an earlier revocation is none of this one's business.
    expect(await verdict(first.client, "SELECT 1")).toBe("ok");

    const all = await revoke("--all", "--end-sessions");
    expect(all).toMatchObject({ code: 0, postgres: { sessionsEnded: 1, sessionsLeft: [] } });
    expect(await verdict(first.client, "SELECT 1")).not.toBe("ok");
  });
});

test("of everything ends each credential and keeps nobody from a new one", async () => {
  const sessions = [await reports.session("reader"), await reports.session("reader-2")];
  const result = await revoke("--all");
  expect(result).toMatchObject({ code: 0, leasesEnded: 2, leasesLeft: [] });
  for (const { client } of sessions) expect(await verdict(client, "SELECT 1")).not.toBe("ok");
  await reports.issue("reader");
});

describe("asks", () => {
  test("and does nothing unless the answer is the environment's name", async () => {
    const { client } = await reports.session("reader");
    const { code, err } = await scenario.run("revoke", ["--role", "reader"], {}, "yes");
    expect({ code, err }).toEqual({ code: 3, err: "Type local to go on: \nNothing was changed." });
    expect(await verdict(client, "SELECT 1")).toBe("ok");
    expect(await scenario.run("revoke", ["--role", "reader"], {}, "local")).toMatchObject({ code: 0 });
    expect(await verdict(client, "SELECT 1")).not.toBe("ok");
  });

  test("and refuses where there is nobody to ask", async () => {
    const { client } = await reports.session("reader");
    for (const command of [["revoke", "--all"], ["drain"]] as const) {
      const { code, err } = await scenario.run(command[0], command.slice(1));
      expect(code).toBe(2);
      expect(err).toMatch(/nobody to ask[^]*--yes/);
    }
    expect(await verdict(client, "SELECT 1")).toBe("ok");
  });
});

describe("without a login of PostgreSQL", () => {
  test("revokes, and says what was not looked at", async () => {
    await reports.issue("reader");
    const { code, out } = await scenario.run("revoke", ["--all", "--yes"], { PGUSER: "" });
    expect(code).toBe(0);
    expect(out).toMatch(/Ended: \d+ credentials?\.\nPostgreSQL was not looked at/);
  });

  test("ends no session, and so begins nothing", async () => {
    const { code, err } = await scenario.run("revoke", ["--all", "--end-sessions", "--yes"], { PGUSER: "" });
    expect(code).toBe(2);
    expect(err).toMatch(/--end-sessions needs a login/);
  });
});

describe("where PostgreSQL does not let the operator in", () => {
  const unseen = /PostgreSQL could not be looked at: PostgreSQL at [^]*Vault is asked all the same\./;
  const wrong = { PGPASSWORD: "wrong" };

  test.each([
    ["revoke", ["--role", "reader"]],
    ["revoke", ["--all", "--end-sessions"]],
    ["drain", ["--role", "reader"]],
  ])("%s %j ends the credentials all the same, and ends with 1", async (command, args) => {
    const config = `${MOUNT}/config/${DATABASE}`;
    const { allowed_roles } = (await sandbox.vault.client().read(config)).data ?? {};
    const { username } = await reports.issue("reader");
    const { code, out } = await scenario.run(command, [...args, "--yes"], wrong);
    expect(code).toBe(1);
    expect(out).toMatch(unseen);
    expect(out.match(/could not be looked at/g)).toHaveLength(2);
    expect(await exists(username)).toBe(false);
    await sandbox.vault.client().write(config, { allowed_roles, verify_connection: false });
  });

  /** One credential's two sessions keep everybody from a catalog that each login needs, or from each database. */
  const blocks: Record<string, (holder: Client, more: () => Promise<Client>) => Promise<void>> = {
    async "a catalog"(holder, more) {
      await holder.query("BEGIN; SELECT FROM pg_catalog.pg_db_role_setting");
      const rule = "CREATE RULE r AS ON INSERT TO pg_catalog.pg_db_role_setting DO INSTEAD NOTHING";
      (await more()).query(rule).catch(() => undefined);
    },
    async "every database"(holder, more) {
      await holder.query("BEGIN");
      const { rows } = await holder.query<{ name: string }>(
        "SELECT quote_ident(datname) AS name FROM pg_database",
      );
      for (const { name } of rows)
        await holder.query(`ALTER ROLE CURRENT_USER IN DATABASE ${name} SET work_mem = '64kB'`);
      const others = await Promise.all(rows.map(more));
      others.forEach((client, index) => {
        client.query(`DROP DATABASE ${rows[index]!.name}`).catch(() => undefined);
      });
    },
  };

  (FULL ? describe : describe.skip).each(Object.keys(blocks))("as a credential has locked %s,", (what) => {
    test.each([
      ["revoke", ["--approle", "shop-local-web"]],
      ["revoke", ["--role", "reader"]],
      ["drain", ["--role", "reader"]],
      ["drain", []],
    ])("%s %j ends that credential, and so the lock", async (command, args) => {
      const config = `${MOUNT}/config/${DATABASE}`;
      const { allowed_roles } = (await sandbox.vault.client().read(config)).data ?? {};
      const web = await scenario.enter("web");
      const { credential, client } = await web.session("reader");
      const clients = [client];
      await blocks[what]!(client, async () => {
        clients.push(await connect(sandbox, credential, DATABASE));
        return clients.at(-1)!;
      });
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { code, out } = await scenario.run(command, [...args, "--yes"]);
      expect(out).toMatch(unseen);
      // PostgreSQL is looked at once the lock has gone.
      expect(out).not.toMatch(/LEFT|could not be looked at[^]*could not be looked at/);
      expect(code).toBe(0);
      expect(await exists(credential.username)).toBe(false);
      if (args.includes("--approle")) await expect(web.issue("reader")).rejects.toThrow(/403/);
      await Promise.all(clients.map((one) => one.end().catch(() => undefined)));
      await sandbox.vault.client().write(config, { allowed_roles, verify_connection: false });
    });
  });
});

test("while PostgreSQL is down ends with 1, and says what to do", async () => {
  const { username, leaseId } = await reports.issue("reader");
  await sandbox.postgres.stop();
  const { code, out } = await scenario.run("revoke", ["--role", "reader", "--yes"], { PGUSER: "" });
  await sandbox.postgres.start();
  expect(code).toBe(1);
  expect(out).toMatch(
    /\nLEFT: 1 credential\.\n {2}failed to connect to [^]*\nVault tries again by itself[^]*run this again/,
  );
  expect(out).toContain(leaseId);
  expect(out).not.toContain("nobody tries again");
  expect(await exists(username)).toBe(true);
  expect(await revoke("--role", "reader")).toMatchObject({ code: 0, leasesLeft: [] });
  expect(await exists(username)).toBe(false);
});

describe("where a credential cannot be revoked", () => {
  const expiry = async (lease_id: string) => {
    const { data } = await sandbox.vault.client().write("sys/leases/lookup", { lease_id });
    return Date.parse(String(data?.expire_time)) - Date.now();
  };

  /** Owns more than a revocation hands over. */
  async function undroppable(): Promise<Credential> {
    const { credential, client } = await reports.session("reader");
    await client.query("SELECT count(lo_create(0)) FROM generate_series(1, 1001)");
    await client.end();
    return credential;
  }
  const release = () => asSuperuser(sandbox, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata", DATABASE);
  const gone = async ({ username }: Credential) => {
    for (const deadline = Date.now() + 90_000; (await exists(username)) && Date.now() < deadline;) {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    return !(await exists(username));
  };
  /** Waits for what takes long. */
  const full = FULL ? test : test.skip;

  const CAUSE = /1001 objects|more than 1000/;

  test.each([
    ["--all", ["--all"]],
    ["--role", ["--role", "reader"]],
  ])("%s ends all others, names it with its cause, and has Vault try again", async (_, args) => {
    const sessions = [];
    const bad: Credential[] = [];
    for (let index = 0; index < 4; index++) {
      sessions.push(await reports.session("reader"));
      if (index % 2 === 0) bad.push(await undroppable());
      sessions.push(await reports.session("reader"));
    }
    const result = await revoke(...args);
    expect(result).toMatchObject({ code: 1, leasesEnded: sessions.length });
    const leases = bad.map(({ leaseId }) => leaseId).sort();
    expect([...result.leasesLeft].sort()).toEqual(leases);
    expect(result.failed.map(({ lease }) => lease).sort()).toEqual(leases);
    for (const { cause, queued } of result.failed) {
      expect(cause).toMatch(CAUSE);
      expect(queued).toBe(true);
    }
    for (const { client, credential } of sessions) {
      expect(await verdict(client, "SELECT 1")).not.toBe("ok");
      expect(await exists(credential.username)).toBe(false);
    }
    for (const { leaseId } of bad) {
      expect(await expiry(leaseId)).toBeLessThanOrEqual(0);
      await expect(
        sandbox.vault.client().write("sys/leases/renew", { lease_id: leaseId, increment: 3_600 }),
      ).rejects.toThrow(/lease expired/);
    }
    await release();
    // Vault's own next attempt is not waited for here.
    expect(await revoke(...args)).toMatchObject({ code: 0, failed: [], leasesLeft: [] });
    for (const credential of bad) expect(await exists(credential.username)).toBe(false);
  });

  test("--lease of it has Vault try again by itself, and says so; status knows it", async () => {
    const bad = await undroppable();
    await expect(
      sandbox.vault.client().write("sys/leases/revoke", { lease_id: bad.leaseId, sync: true }),
    ).rejects.toThrow(CAUSE);
    expect(await expiry(bad.leaseId)).toBeGreaterThan(0);
    const before = await scenario.run("status");
    expect(before.out).toMatch(
      /Vault does not try again before the lease ends, in \d+ min[^]*, and its holder may renew it/,
    );
    const { code, out } = await scenario.run("revoke", ["--lease", bad.leaseId, "--yes"]);
    expect(code).toBe(1);
    expect(out).toMatch(/\nLEFT: 1 credential\.\n {2}.*\n[^]*Vault tries again by itself, up to six times/);
    expect(await expiry(bad.leaseId)).toBeLessThanOrEqual(0);
    const after = await scenario.run("status");
    expect(after.out).toMatch(/Vault tries again by itself; at once: vault-postgres revoke local --lease/);
    expect(after.out).not.toContain("does not try again");
    await release();
    // Vault's own next attempt comes after 20 s, and another 40 s after that.
    if (FULL) expect(await gone(bad)).toBe(true);
    else await revoke("--all");
  });

  full("--approle names what its tokens' end has left, with the cause", async () => {
    const other = await scenario.enter("reports");
    const { credential, client } = await other.session("reader-2");
    await client.query("SELECT count(lo_create(0)) FROM generate_series(1, 1001)");
    const fine = await other.session("reader-2");
    const result = await revoke("--approle", "shop-local-reports");
    expect(result).toMatchObject({ code: 1, leasesLeft: [credential.leaseId] });
    expect(result.failed).toMatchObject([{ lease: credential.leaseId, queued: true }]);
    expect(result.failed[0]?.cause).toMatch(CAUSE);
    expect(await verdict(fine.client, "SELECT 1")).not.toBe("ok");
    await release();
    expect(await revoke("--all")).toMatchObject({ code: 0, leasesLeft: [] });
    reports = await scenario.enter("reports");
  });

  test("drain ends all others, and names it", async () => {
    const sessions = [await reports.session("reader"), await reports.session("reader-2")];
    const bad = await undroppable();
    sessions.push(await reports.session("reader"), await reports.session("reader-2"));
    const config = `${MOUNT}/config/${DATABASE}`;
    const { allowed_roles } = (await sandbox.vault.client().read(config)).data ?? {};
    const { code, err, out } = await scenario.run("drain", ["--yes", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ...{ environment: "local", exitCode: 1, changed: true, drained: true },
      failed: [{ lease: bad.leaseId, cause: expect.stringMatching(CAUSE) as string }],
      error: expect.stringContaining("1 credential could not be revoked") as string,
    });
    expect(err).toMatch(/1 credential could not be revoked[^]*Vault tries again by itself/);
    expect(err).toMatch(CAUSE);
    expect(err).toContain(bad.leaseId);
    for (const { client } of sessions) expect(await verdict(client, "SELECT 1")).not.toBe("ok");
    await release();
    expect(await scenario.run("drain", ["--yes"])).toMatchObject({ code: 0 });
    expect(await exists(bad.username)).toBe(false);
    await sandbox.vault.client().write(config, { allowed_roles, verify_connection: false });
  });
});

describe("where PostgreSQL has a user whose lease Vault has lost", () => {
  /** As where Vault was restored from a snapshot, or its leader died on the way. */
  async function lost(roleName: string): Promise<{ credential: Credential; client: Client }> {
    const [vault, path] = [sandbox.vault.client(), `${MOUNT}/roles/${roleName}`];
    const { data } = await vault.read(path);
    const found = await reports.session(roleName);
    await vault.done(path, { ...data, revocation_statements: ["SELECT 1"] });
    await vault.write("sys/leases/revoke", { lease_id: found.credential.leaseId, sync: true });
    await vault.done(path, data ?? {});
    return found;
  }
  const SQL = /^ {4}[A-Z].*;$/gm;
  /** Runs what a message says, statement by statement, as psql does. */
  async function obey(text: string): Promise<void> {
    const statements = (text.match(SQL) ?? []).flatMap((line) => line.split(/(?<=;) /));
    expect(statements.length).toBeGreaterThan(0);
    for (const statement of statements) await asSuperuser(sandbox, statement, DATABASE);
  }
  const engine = () => sandbox.vault.address;

  beforeAll(() => revoke("--all"));

  test.each([
    [["--all"], true],
    [["--all", "--end-sessions"], true],
    [["--role", "reader"], true],
    [["--approle", "shop-local-web"], true],
    [["--role", "reader-2"], false],
  ])("revoke %j says whom it has not ended: %s", async (args, isLeft) => {
    const web = await scenario.enter("web");
    await web.issue("reader");
    const { credential, client } = await lost("reader");
    const { username } = credential;
    // What is issued meanwhile is nobody's that was to be ended.
    const other = isLeft ? undefined : await reports.issue("reader");
    const { code, out } = await scenario.run("revoke", [...args, "--yes"]);
    expect({ code, isLeft: out.includes(`LEFT in PostgreSQL: ${username}`) }).toEqual({
      code: isLeft ? 1 : 0,
      isLeft,
    });
    await (await connect(sandbox, credential, DATABASE)).end();
    expect(await verdict(client, "SELECT count(lo_create(0)) FROM generate_series(1, 3)")).toBe("ok");
    if (isLeft) {
      expect(out).toMatch(/^This ends [^]*PostgreSQL has 1 user of these without a lease[^]*Ended: /);
      await obey(out);
      expect(await exists(username)).toBe(false);
      expect(await verdict(client, "SELECT 1")).not.toBe("ok");
      await asSuperuser(sandbox, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata", DATABASE);
    } else {
      await client.end();
      await asSuperuser(sandbox, `DROP OWNED BY "${username}"; DROP ROLE "${username}"`, DATABASE);
    }
    if (other) await revoke("--lease", other.leaseId);
    expect(await revoke("--all")).toMatchObject({ code: 0, postgres: { usersLeft: [] } });
  });

  test("of several all are named, and none that has its lease, as JSON too", async () => {
    const users = [await lost("reader"), await lost("reader-2")].map(({ credential }) => credential.username);
    let running = true;
    const issued: string[] = [];
    const application = (async () => {
      while (running) issued.push((await reports.issue("reader")).username);
    })();
    const result = await revoke("--all");
    running = false;
    await application;
    expect(result.code).toBe(1);
    expect([...(result.postgres?.usersLeft ?? [])].sort()).toEqual([...users].sort());
    expect(issued.length).toBeGreaterThan(1);
    expect(result.postgres?.remedy).toMatch(SQL);
    await obey(result.postgres?.remedy ?? "");
    expect(await revoke("--all")).toMatchObject({ code: 0, postgres: { usersLeft: [] } });
  });

  test("and no lease at all it asks whether it is the right Vault", async () => {
    const { credential } = await lost("reader");
    const { code, out } = await scenario.run("revoke", ["--all", "--yes"]);
    expect(code).toBe(1);
    expect(out).toContain(`${engine()} has no lease of ${MOUNT} at all`);
    expect(out).toContain("VAULT_ADDR");
    expect((await scenario.run("status")).out).toMatch(
      new RegExp(
        `  ${credential.username}:\n    After a look[^]*As a superuser[^]*DROP ROLE "${credential.username}";`,
      ),
    );
    await obey(out);
  });

  test("drain ends with 1, too, and without a login says that it has not looked", async () => {
    const config = `${MOUNT}/config/${DATABASE}`;
    const { allowed_roles } = (await sandbox.vault.client().read(config)).data ?? {};
    const { credential } = await lost("reader");
    await reports.issue("reader-2");
    expect(await scenario.run("drain", ["--role", "reader-2", "--yes"])).toMatchObject({ code: 0 });
    for (const args of [["--role", "reader"], []]) {
      const { code, out } = await scenario.run("drain", [...args, "--yes"]);
      expect(code).toBe(1);
      expect(out).toMatch(/1 user of these without a lease[^]*LEFT in PostgreSQL: /);
      expect(out).not.toContain("No credential");
      expect(await scenario.json("drain", [...args, "--yes"])).toMatchObject({
        ...{ code: 1, drained: true, postgres: { usersLeft: [credential.username] } },
      });
    }
    const blind = await scenario.run("drain", ["--yes"], { PGUSER: "" });
    expect(blind.code).toBe(0);
    expect(blind.out).toMatch(/PostgreSQL was not looked at/);
    await obey((await scenario.run("drain", ["--yes"])).out);
    expect(await scenario.run("drain", ["--yes"])).toMatchObject({ code: 0 });
    await sandbox.vault.client().write(config, { allowed_roles, verify_connection: false });
  });
});

test.each([
  [["--role", "nobody"], /no role "nobody".\nIt has owner, reader, reader-2, writer\./],
  [["--role", "legacy"], /"legacy" is a static role[^]*vault-postgres rotate <environment> legacy/],
  [["--approle", "web"], /no AppRole "web".\nIt has shop-local-api, .*shop-local-web/],
  [["--lease", "other/database/creds/reader/abc"], /no lease "other.*\n.*shop-local\/database\/creds\//],
])("refuses %j, and says what there is", async (args, message) => {
  const { code, err } = await scenario.run("revoke", [...args, "--yes"]);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});

describe("drain", () => {
  test("ends everything, and lets nobody obtain more until the next deployment", async () => {
    const credential = await reports.issue("reader");
    const declined = await scenario.run("drain", ["--json"], {}, "no");
    expect(declined.code).toBe(3);
    expect(JSON.parse(declined.out)).toEqual({ environment: "local", exitCode: 3, changed: false });
    await (await connect(sandbox, credential, DATABASE)).end();
    const result = await scenario.json("drain", ["--yes"]);
    expect(result).toEqual({
      ...{ environment: "local", drained: true, revoked: 1, code: 0 },
      postgres: { usersLeft: [] },
    });
    expect(await exists(credential.username)).toBe(false);
    await expect(reports.issue("reader")).rejects.toThrow(/not an allowed role/);
    const { code, out } = await scenario.run("status");
    expect(code).toBe(1);
    expect(out).toMatch(/drained +shop_local +it issues no credential until the next cdktf deploy/);
    await scenario.workspace.apply();
    expect(await reports.issue("reader")).toBeDefined();
    expect((await scenario.run("status")).code).toBe(0);
    await sandbox.vault.client().write(`sys/leases/revoke-prefix/${MOUNT}/creds`, { sync: true });
  });

  test("of one role ends its credentials, and lets others go on", async () => {
    const ended = await reports.session("reader-2");
    const other = await reports.session("reader");
    expect(await scenario.run("drain", ["--role", "reader-2"], {}, "no")).toMatchObject({ code: 3 });
    expect(await verdict(ended.client, "SELECT 1")).toBe("ok");
    const result = await scenario.json("drain", ["--role", "reader-2", "--yes"]);
    expect(result).toEqual({
      ...{ environment: "local", role: "reader-2", drained: true, revoked: 1, code: 0 },
      postgres: { usersLeft: [] },
    });
    expect(await verdict(ended.client, "SELECT 1")).not.toBe("ok");
    await expect(reports.issue("reader-2")).rejects.toThrow(/not an allowed role/);
    expect(await verdict(other.client, "SELECT 1")).toBe("ok");
    await reports.issue("reader");
    const { code, out } = await scenario.run("status");
    expect(code).toBe(1);
    expect(out).toMatch(
      /drained +reader-2 +shop_local issues no credential of it until the next cdktf deploy/,
    );
    // Again, and with nothing to end.
    expect(await scenario.json("drain", ["--role", "reader-2", "--yes"])).toMatchObject({
      code: 0,
      revoked: 0,
    });
    await scenario.workspace.apply();
    await reports.issue("reader-2");
    await revoke("--all");
  });

  test("of one role is refused for a role that is not there", async () => {
    const nobody = await scenario.run("drain", ["--role", "nobody", "--yes"]);
    expect(nobody).toMatchObject({ code: 2 });
    expect(nobody.err).toMatch(/no role "nobody".\nIt has owner, reader, reader-2, writer\./);
  });

  describe("of one role, beside patterns of the connection's", () => {
    const config = `${MOUNT}/config/${DATABASE}`;
    const allow = (roles: unknown) =>
      sandbox.vault.client().write(config, { allowed_roles: roles, verify_connection: false });
    let declared: unknown;
    beforeAll(async () => {
      declared = (await sandbox.vault.client().read(config)).data?.allowed_roles;
    });
    afterAll(() => allow(declared));

    test.each(["*", "read*", "*-2", "r*d*2", "**"])("is refused where %s serves it", async (pattern) => {
      const roles = ["reader-2", "writer", pattern];
      await allow(roles);
      const { code, err } = await scenario.run("drain", ["--role", "reader-2", "--yes"]);
      expect(code).toBe(2);
      expect(err).toContain(`issues for reader-2 by the pattern "${pattern}"`);
      expect(err).not.toContain("This was while");
      expect((await sandbox.vault.client().read(config)).data?.allowed_roles).toEqual(roles);
      await reports.issue("reader-2");
    });

    test.each(["reader", "read", "*-1", "reader-2*2", "R*", "-*"])(
      "goes on where %s does not",
      async (pattern) => {
        await allow([pattern, "reader-2"]);
        const { code } = await scenario.run("drain", ["--role", "reader-2", "--yes"]);
        expect(code).toBe(0);
        await expect(reports.issue("reader-2")).rejects.toThrow(/not an allowed role/);
      },
    );

    test("stops it on the connection that it is on", async () => {
      const vault = sandbox.vault.client();
      const { data } = await vault.read(`${MOUNT}/roles/reader-2`);
      const url = String(scenario.outputs.vault.connection_url);
      const login = { username: sandbox.postgres.superuser, password: sandbox.postgres.superuserPassword };
      const own = { plugin_name: "postgresql-database-plugin", connection_url: url, ...login };
      await vault.write(`${MOUNT}/config/other`, { ...own, allowed_roles: ["others", "more-*"] });
      await vault.write(`${MOUNT}/roles/others`, { ...data, db_name: "other" });
      await issue(sandbox, `${MOUNT}/creds/others`);
      const all = await scenario.run("drain", ["--yes"]);
      expect(all).toMatchObject({ code: 1 });
      expect(all.err).toMatch(/has no credentials left, and issues new ones on the connection other\./);
      await issue(sandbox, `${MOUNT}/creds/others`);
      const one = await scenario.run("drain", ["--role", "others", "--yes"]);
      expect(one).toMatchObject({ code: 0 });
      await expect(issue(sandbox, `${MOUNT}/creds/others`)).rejects.toThrow(/not an allowed role/);
      expect(await scenario.run("drain", ["--yes"])).toMatchObject({ code: 0 });
      await vault.delete(`${MOUNT}/roles/others`);
      await vault.delete(`${MOUNT}/config/other`);
    });
  });
});

describe("where the server limits the rate of requests", () => {
  const path = "sys/quotas/rate-limit/all";
  let patient: VaultClient;

  beforeAll(async () => {
    const { address, rootToken: token } = sandbox.vault;
    patient = new VaultClient({ address, token, rateLimit: new RateLimit() });
    const issued = Array.from({ length: 24 }, (_, index) =>
      reports.issue(index % 2 === 0 ? "reader" : "reader-2"),
    );
    await Promise.all(issued);
  });
  beforeEach(() => patient.done(path, { path: "", rate: 20 }));
  afterEach(() => patient.delete(path));

  const COMMANDS: readonly (readonly [command: string, args: readonly string[]])[] = [
    ["status", []],
    ["revoke", ["--role", "writer", "--yes"]],
    ["revoke", ["--approle", "shop-local-web", "--yes"]],
    ["revoke", ["--all", "--yes"]],
    ["drain", ["--role", "owner", "--yes"]],
  ];
  test.each(FULL ? COMMANDS : COMMANDS.slice(2, 4))(
    "%s %j waits for its turn, says so, and is done",
    async (command, args) => {
      const { code, err } = await scenario.run(command, args);
      expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining("limits the rate") as string });
      expect(err).not.toContain("This was while");
    },
  );
});
