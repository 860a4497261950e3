import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { VaultError, type VaultClient } from "../../cli/vault-client";
import { findEngineBinary } from "../../sandbox/engine-binary";
import { makeDeployerToken } from "../../sandbox/rights";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot, type Snapshot } from "../../sandbox/snapshot";
import { VaultCluster, type VaultNode } from "../../sandbox/vault-cluster";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, type Credential } from "../e2e/credential";
import { FaultTable, testInFull } from "./fault-table";
import { FULL } from "./servers";
import { RecoveryWorkspace } from "./recovery-workspace";

jest.setTimeout(600_000);

const ENGINE = "orders-local/database";
const DATABASE = "orders_local";
const DESTROY = "npx vault-postgres destroy dev --auto-approve --skip-provider-lock";
const table = new FaultTable("cluster");
const fault = table.fault.bind(table);

let sandbox: Sandbox;
let cluster: VaultCluster;
let deployerToken: string;
let before: Snapshot;
let deployed: readonly string[];
beforeAll(async () => {
  // Elections take their time: all of this is left to the full set.
  if (!FULL) return;
  sandbox = await startSandbox({ onProgress: announce });
  // There by now: the sandbox has brought it where it was not.
  const binary = await findEngineBinary({
    env: process.env,
    download: () => Promise.reject(new Error("the sandbox has found one before")),
  });
  cluster = await VaultCluster.create(sandbox.lifetime, binary);
  const leader = await cluster.leader();
  announce(`a cluster of three, led by ${leader.name} on ${leader.address}`);
  deployerToken = sandbox.lifetime.remember(await makeDeployerToken(cluster.client()));
  before = await takeSnapshot(servers());
});
afterAll(() => sandbox?.stop());

/** What snapshots look at: the cluster's leader and the sandbox's PostgreSQL. */
const servers = () => ({ postgres: sandbox.postgres, vault: { client: () => cluster.client() } });

let workspaces = 0;
/** A deployment through one server of the cluster, with its own state. */
function workspaceAt({ address }: VaultNode): RecoveryWorkspace {
  const variables = { VAULT_ADDR: address, VAULT_TOKEN: deployerToken };
  return new RecoveryWorkspace(sandbox, `cluster-${++workspaces}`, variables);
}

const usersLeft = () => asSuperuser(sandbox, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'");

async function read(vault: VaultClient, role: string): Promise<Credential> {
  const { data, lease_id } = await vault.read(`${ENGINE}/creds/${role}`);
  const { username, password } = data as { username: string; password: string };
  return { username, password, leaseId: lease_id ?? "" };
}

/** A server of the cluster may not know yet of what its leader has just mounted. */
async function readOnceKnown(vault: VaultClient, role: string): Promise<Credential> {
  for (const end = Date.now() + 30_000; ;) {
    try {
      return await read(vault, role);
    } catch (error) {
      if (!(error instanceof VaultError) || error.status !== 404 || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function expectUsable(vault: VaultClient): Promise<void> {
  const credential = await readOnceKnown(vault, "reader");
  await connect(sandbox, credential, DATABASE).then((client) => client.end());
  await vault.write("sys/leases/revoke", { lease_id: credential.leaseId, sync: true });
  expect(await usersLeft()).toEqual([]);
}

/** Kills the leader in the middle of a deployment, and deploys again on the new one. */
async function deployThrough(node: VaultNode, moment: RegExp): Promise<RecoveryWorkspace> {
  const leader = await cluster.leader();
  const workspace = workspaceAt(node);
  const running = await workspace.startApply();
  const log = () => fs.readFileSync(running.logFile, "utf8");
  while (running.isRunning() && !moment.test(log())) await new Promise((resolve) => setTimeout(resolve, 5));
  await cluster.kill(leader);
  const start = Date.now();
  const next = await cluster.leader();
  announce(`${leader.name} killed; ${next.name} leads after ${Date.now() - start} ms`);
  const code = await running.exited;
  announce(`the deployment ended with exit code ${code}`);
  if (code !== 0) {
    expect(log()).toMatch(
      /connection refused|ECONNREFUSED|ECONNRESET|connection reset|EOF|socket hang up|Code: 5\d\d|failed with (5\d\d|307)/,
    );
  }
  return workspace;
}

/** Deploys again through another server, where the first may be gone, and sees that all stands once. */
async function convergeThrough(workspace: RecoveryWorkspace, node: VaultNode): Promise<void> {
  workspace.reach(node.address);
  await workspace.converge();
  expect(await workspace.plan()).toEqual([]);
  await expectUsable(cluster.client());
  const added = addedSince(before, await takeSnapshot(servers()));
  deployed ??= added;
  expect(added).toEqual(deployed);
}

const CONVERGES =
  "the deployment goes on, or fails with the connection's error; the next one on the new leader completes it, with nothing doubled";

describe("in a deployment", () => {
  afterEach(() => cluster.mend());

  fault(
    "the leader of a Raft cluster is killed during a deployment through a standby",
    CONVERGES,
    "deploy again; where it says `already in use`, [import](../recovery.md) and deploy",
    async () => {
      const [standby] = await cluster.standbys();
      const workspace = await deployThrough(standby!, /vault_mount\S+ Creating/);
      await convergeThrough(workspace, standby!);
      await workspace.command(DESTROY);
      expect(addedSince(before, await takeSnapshot(servers()))).toEqual([]);
    },
    testInFull,
  );

  fault(
    "the leader of a Raft cluster is killed during a deployment through it",
    CONVERGES,
    "deploy again through another server, or one address of them all",
    async () => {
      const workspace = await deployThrough(
        await cluster.leader(),
        /vault_database_secret_backend_connection\S+ Creat/,
      );
      await convergeThrough(workspace, await cluster.leader());
      await workspace.command(DESTROY);
      expect(addedSince(before, await takeSnapshot(servers()))).toEqual([]);
    },
    testInFull,
  );
});

/**
 * A server in front of one of the cluster, which tells it to hand no request on: a standby then answers 307 with the address of
 * the leader, as where request forwarding is off or broken.
 */
async function withoutForwarding<T>(node: VaultNode, use: (address: string) => Promise<T>): Promise<T> {
  const front = http.createServer((request, response) => {
    const headers = { ...request.headers, "x-vault-no-request-forwarding": "true" };
    const onward = http.request(node.address + request.url, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(front.address() as AddressInfo).port}`);
  } finally {
    front.closeAllConnections();
    await new Promise((resolve) => front.close(resolve));
  }
}

(FULL ? describe : describe.skip)("a standby that hands no request on", () => {
  test("names the leader, to which the operator's client goes with what was asked", async () => {
    const [standby] = await cluster.standbys();
    const leader = cluster.client();
    const path = "sys/policies/acl/redirected";
    await withoutForwarding(standby!, async (address) => {
      const vault = cluster.client({ address });
      const policy = 'path "x" { capabilities = ["read"] }';
      await vault.done(path, { policy });
      expect((await leader.read(path)).data).toMatchObject({ policy });
      await vault.delete(path);
      await expect(leader.read(path)).rejects.toMatchObject({ status: 404 });
      expect((await vault.anonymous().send({ method: "GET", path: "sys/health" })).status).toBe(429);
    });
  });
});

describe("in use", () => {
  fault(
    "the leader of a Raft cluster is killed while credentials are issued",
    "requests through a standby work again after the election, with retries; live leases and sessions go on, are renewed and revoked; of a request at that moment PostgreSQL may keep a user without a lease, which lets nobody in after its `VALID UNTIL`",
    "let clients try again; `vault-postgres status` names such users, `DROP ROLE` removes them",
    async () => {
      const workspace = workspaceAt(await cluster.leader());
      await workspace.apply();
      const [standby] = await cluster.standbys();
      const vault = cluster.client(standby);
      const live = [await readOnceKnown(vault, "writer"), await readOnceKnown(vault, "reader")] as const;
      const session = await connect(sandbox, live[0], DATABASE);

      const issued: Credential[] = [];
      let running = true;
      let retries = 0;
      const clients = Array.from({ length: 6 }, async () => {
        for (const end = Date.now() + 90_000; running;) {
          try {
            issued.push(await read(vault, "reader"));
          } catch (error) {
            if (Date.now() > end) throw error;
            if (error instanceof VaultError) expect(error.status).toBeGreaterThanOrEqual(500);
            retries++;
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        }
      });
      const isIssuing = async () => {
        const already = issued.length;
        while (issued.length < already + 30) await new Promise((resolve) => setTimeout(resolve, 10));
      };
      await isIssuing();
      const leader = await cluster.leader();
      await cluster.kill(leader);
      const next = await cluster.leader();
      await isIssuing();
      running = false;
      await Promise.all(clients);
      announce(
        `${leader.name} killed, ${next.name} leads; ${issued.length} credentials issued, ${retries} requests made again`,
      );

      await session.query("SELECT 1");
      const all = [...live, ...issued];
      expect(new Set(all.map(({ username }) => username)).size).toBe(all.length);
      for (const credential of live) {
        await vault.write("sys/leases/renew", { lease_id: credential.leaseId });
        await connect(sandbox, credential, DATABASE).then((client) => client.end());
      }
      await vault.write("sys/leases/revoke", { lease_id: live[0].leaseId, sync: true });
      await expect(session.query("SELECT 1")).rejects.toThrow();
      await expect(connect(sandbox, live[0], DATABASE)).rejects.toMatchObject({ code: "28P01" });

      await vault.write(`sys/leases/revoke-prefix/${ENGINE}/creds`, { sync: true });
      const names = new Set(all.map(({ username }) => username));
      const left = (await usersLeft()) as string[];
      announce(`${left.length} users without a lease`);
      // None that anybody was given, at most one a client that was asking, and each with an end.
      expect(left.filter((name) => names.has(name))).toEqual([]);
      expect(left.length).toBeLessThanOrEqual(6);
      const endless = "rolvaliduntil IS NULL OR rolvaliduntil > now() + interval '25 hours'";
      expect(
        await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname LIKE 'v-%' AND (${endless})`),
      ).toEqual([]);
      for (const name of left) await asSuperuser(sandbox, `DROP ROLE "${name}"`);

      await cluster.mend();
      workspace.reach(next.address);
      expect(await workspace.plan()).toEqual([]);
      await expectUsable(cluster.client());
      await workspace.command(DESTROY);
      expect(addedSince(before, await takeSnapshot(servers()))).toEqual([]);
    },
    testInFull,
  );
});

table.isDocumented();
