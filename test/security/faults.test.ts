import * as fs from "node:fs";
import type { Construct } from "constructs";
import type { Client } from "pg";
import type { Running } from "../../sandbox/lifetime";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot, type Snapshot } from "../../sandbox/snapshot";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { local } from "../../stacks/environments/local";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, issue, revoke, type Credential } from "../e2e/credential";
import { Workspace } from "../e2e/workspace";
import { FaultTable, testInFull } from "./fault-table";

jest.setTimeout(240_000);

const ENGINE = "orders-local/database";
const DATABASE = "orders_local";
const credsPath = (role: string) => `${ENGINE}/creds/${role}`;

const table = new FaultTable("faults");
const fault = table.fault.bind(table);

let sandbox: Sandbox;
let workspace: Workspace;
let before: Snapshot;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  before = await takeSnapshot(sandbox);
  const build = (scope: Construct) => new CredentialsStack(scope, local(sandbox.env));
  workspace = new Workspace(sandbox, "environment", build);
});
afterAll(() => sandbox?.stop());

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const logOf = ({ logFile }: Running) => fs.readFileSync(logFile, "utf8");
const says = (running: Running, text: string) => until(text, () => logOf(running).includes(text));
const isThere = async ({ username }: Credential) =>
  (await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${username}'`)).length > 0;

/** Deploys, and sees that nothing is left to do and that credentials work. */
async function deployAndUse(): Promise<void> {
  await workspace.apply();
  expect(await workspace.plan()).toEqual([]);
  const credential = await issue(sandbox, credsPath("reader"));
  await connect(sandbox, credential, DATABASE).then((client) => client.end());
  await revoke(sandbox, credential);
  expect(await isThere(credential)).toBe(false);
}

/** A deployment that fails, and what it says. */
async function failedApply(): Promise<string> {
  const running = await workspace.startApply();
  expect(await running.exited).not.toBe(0);
  return logOf(running);
}

async function killVault(): Promise<void> {
  const pid = sandbox.vault.pid;
  if (pid === undefined) throw new Error("the engine does not run");
  process.kill(pid, "SIGKILL");
  await until("the engine is gone", () => sandbox.vault.pid === undefined);
}

/** Starts a server again, whatever becomes of the story. */
async function without(
  server: { stop(): Promise<void>; start(): Promise<void> },
  story: () => Promise<void>,
) {
  await server.stop();
  await story().finally(() => server.start());
}

describe("in a deployment", () => {
  fault(
    "PostgreSQL is down during a deployment",
    "the deployment fails with the connection error; the next one completes it",
    "start it, deploy again",
    async () => {
      await without(sandbox.postgres, async () => {
        expect(await failedApply()).toMatch(/connection refused|ECONNREFUSED/);
      });
    },
  );

  fault(
    "the engine is killed in the middle of a deployment",
    "the deployment fails; after a restart on its storage the next one completes it, with nothing doubled",
    "start it, deploy again",
    async () => {
      const running = await workspace.startApply();
      await says(running, "vault_mount");
      await killVault();
      expect(await running.exited).not.toBe(0);
      await sandbox.vault.start();
      await deployAndUse();
      const added = addedSince(before, await takeSnapshot(sandbox));
      expect(added.length).toBe(new Set(added).size);
      await workspace.destroy();
      expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
    },
  );

  fault(
    "a deployment gets SIGINT, as by Ctrl-C",
    "what is under way is finished and kept in the state; the next deployment completes it",
    "deploy again",
    async () => {
      const running = await workspace.startApply();
      await says(running, "Creation complete");
      await running.stop("SIGINT", 60_000);
      expect(await running.exited).not.toBe(0);
      await deployAndUse();
    },
    testInFull,
  );

  fault(
    "two deployments at once",
    "the second ends with `Error acquiring the state lock`; the first goes on",
    "wait for the first",
    async () => {
      await workspace.destroy();
      const first = await workspace.startApply();
      await says(first, "Creating...");
      expect(await failedApply()).toMatch(/Error acquiring the state lock/);
      expect(await first.exited).toBe(0);
      await deployAndUse();
    },
    testInFull,
  );

  fault(
    "a base role, a policy, a role, an AppRole or a right was removed by hand",
    "the plan shows each; a deployment puts it back",
    "deploy",
    async () => {
      await workspace.apply();
      const vault = sandbox.vault.client();
      await asSuperuser(sandbox, "DROP OWNED BY orders_local_reader", DATABASE);
      await asSuperuser(sandbox, "DROP ROLE orders_local_reader");
      await asSuperuser(sandbox, "REVOKE ALL ON SCHEMA app FROM orders_local_writer", DATABASE);
      await vault.delete("sys/policies/acl/orders-local/database/creds/writer");
      await vault.delete(`${ENGINE}/roles/owner`);
      await vault.delete("auth/orders-local/approle/role/orders-local-api");
      const planned = new Set(
        (await workspace.plan()).map(({ type, actions }) => `${type} ${actions.join("+")}`),
      );
      expect([...planned].sort()).toEqual(
        expect.arrayContaining([
          "postgresql_role create",
          "postgresql_grant update",
          "vault_policy update",
          "vault_database_secret_backend_role create",
          "vault_approle_auth_backend_role create",
        ]),
      );
      await deployAndUse();
    },
  );

  fault(
    "the mount was removed by hand",
    "its leases end with it; the plan shows it and what was in it; a deployment puts all back",
    "deploy, with the first password of the engine's login; if that was rotated, set it first: `ALTER ROLE … PASSWORD`",
    async () => {
      const credential = await issue(sandbox, credsPath("writer"));
      await sandbox.vault.client().delete(`sys/mounts/${ENGINE}`);
      expect(await isThere(credential)).toBe(false);
      expect((await workspace.plan()).map(({ type }) => type)).toContain("vault_mount");
      await deployAndUse();
    },
    testInFull,
  );
});

describe("in use", () => {
  beforeAll(() => workspace.apply());

  fault(
    "PostgreSQL is down when a credential is asked for, renewed or revoked",
    "each fails within seconds, and the lease stays; once PostgreSQL is back, all work, without a restart of the engine",
    "start it; an agent tries again by itself",
    async () => {
      const credential = await issue(sandbox, credsPath("writer"));
      const vault = sandbox.vault.client();
      await without(sandbox.postgres, async () => {
        const start = Date.now();
        await expect(issue(sandbox, credsPath("writer"))).rejects.toThrow(/500|400/);
        await expect(vault.write("sys/leases/renew", { lease_id: credential.leaseId })).rejects.toThrow(
          /400|500/,
        );
        await expect(revoke(sandbox, credential)).rejects.toThrow(/failed to revoke/);
        expect(Date.now() - start).toBeLessThan(10_000);
      });
      const another = await issue(sandbox, credsPath("writer"));
      await vault.write("sys/leases/renew", { lease_id: credential.leaseId });
      for (const each of [credential, another]) {
        await revoke(sandbox, each);
        expect(await isThere(each)).toBe(false);
      }
    },
  );

  fault(
    "the engine is down when a credential expires",
    "PostgreSQL lets nobody in with it after its end; the engine drops it when it is back",
    "start it",
    async () => {
      const vault = sandbox.vault.client();
      const credential = await issue(sandbox, credsPath("reader"));
      await vault.write("sys/leases/renew", { lease_id: credential.leaseId, increment: 1 });
      await killVault();
      // VALID UNTIL is five seconds after the end of the lease.
      await new Promise((resolve) => setTimeout(resolve, 7_000));
      await expect(connect(sandbox, credential, DATABASE)).rejects.toMatchObject({ code: "28P01" });
      await sandbox.vault.start();
      await until("the engine has dropped it", async () => !(await isThere(credential)));
    },
  );

  fault(
    "PostgreSQL has no connection left",
    "a request for a credential beyond the engine's open connections, and a deployment, fail and say so; both work once there is one",
    "find who holds them; `connectionLimit` of a role, or of a database, keeps one from taking all",
    async () => {
      await restartEngine(); // whose open connections would do
      const clients: Client[] = [];
      const login = { username: "terraform", password: sandbox.deployer.postgresPassword, leaseId: "" };
      for (;;) {
        const client = await connect(sandbox, login, DATABASE).catch((error: { code?: string }) => {
          expect(error.code).toBe("53300");
          return undefined;
        });
        if (client === undefined) break;
        clients.push(client);
      }
      expect(clients.length).toBeGreaterThan(50);
      await expect(issue(sandbox, credsPath("reader"))).rejects.toThrow(
        /53300|too many clients|remaining connection slots/,
      );
      expect(await failedApply()).toMatch(/53300|too many clients|remaining connection slots/);
      await Promise.all(clients.map((client) => client.end()));
      await deployAndUse();
    },
  );

  fault(
    "the password of the engine's login was changed by hand",
    "a request for a credential on a new connection fails with PostgreSQL's words; nothing is lost",
    "tell the engine: `vault write <mount>/config/<connection> password=…`, then rotate it; the plan stays empty",
    async () => {
      const password = sandbox.lifetime.secret();
      await asSuperuser(sandbox, `ALTER ROLE orders_local_manager PASSWORD '${password}'`);
      await restartEngine();
      await expect(issue(sandbox, credsPath("reader"))).rejects.toThrow(/password authentication failed/);
      await sandbox.vault.client().write(`${ENGINE}/config/${DATABASE}`, { password });
      await sandbox.vault.client().write(`${ENGINE}/rotate-root/${DATABASE}`);
      await deployAndUse();
    },
  );

  fault(
    "the engine's password is rotated while credentials are asked for",
    "a request at that very moment may fail, and works when it is made again; live credentials go on",
    "let clients try again",
    async () => {
      const live = await issue(sandbox, credsPath("writer"));
      const session = await connect(sandbox, live, DATABASE);
      const issued: Credential[] = [];
      let running = true;
      let again = 0;
      const clients = Array.from({ length: 8 }, async () => {
        while (running) {
          for (let attempt = 1; ; attempt++) {
            try {
              issued.push(await issue(sandbox, credsPath("reader")));
              break;
            } catch (error) {
              if (attempt === 5) throw error;
              again++;
            }
          }
        }
      });
      for (let rotation = 0; rotation < 3; rotation++) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        await sandbox.vault.client().write(`${ENGINE}/rotate-root/${DATABASE}`);
      }
      running = false;
      await Promise.all(clients);
      announce(`3 rotations, ${issued.length} credentials issued, ${again} requests made again`);
      expect(issued.length).toBeGreaterThan(30);
      await session.query("SELECT 1");
      await session.end();
      await revoke(sandbox, live);
      await sandbox.vault.client().write(`sys/leases/revoke-prefix/${ENGINE}/creds`, { sync: true });
      expect(await asSuperuser(sandbox, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'")).toEqual([]);
      await deployAndUse();
    },
  );

  async function restartEngine(): Promise<void> {
    await sandbox.vault.stop();
    await sandbox.vault.start();
  }
});

table.isDocumented();
