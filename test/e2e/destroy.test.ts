import { Deployment } from "../../sandbox/deployment";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot, type Snapshot } from "../../sandbox/snapshot";
import { announce } from "./announce";
import { asSuperuser, connect, issue } from "./credential";

jest.setTimeout(180_000);

let sandbox: Sandbox;
let deployment: Deployment;
let before: Snapshot;

beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  deployment = new Deployment(sandbox, "local");
  before = await takeSnapshot(sandbox);
  await deployment.deploy();
});
afterAll(() => sandbox?.stop());

describe("npm run destroy", () => {
  test("destroys nothing while credentials cannot be revoked", async () => {
    await issue(sandbox, "orders-local/database/creds/reader");
    await sandbox.postgres.stop();
    try {
      await expect(deployment.takeDown()).rejects.toMatchObject({
        remedy: expect.stringContaining("nothing was destroyed") as string,
      });
    } finally {
      await sandbox.postgres.start();
    }
    expect(
      await asSuperuser(sandbox, "SELECT datname FROM pg_database WHERE datname = 'orders_local'"),
    ).toEqual(["orders_local"]);
  });

  test("is undone by a deployment until then", async () => {
    await expect(issue(sandbox, "orders-local/database/creds/writer")).rejects.toThrow(/not an allowed role/);
    await deployment.deploy();
    const credential = await issue(sandbox, "orders-local/database/creds/writer");
    await (await connect(sandbox, credential, "orders_local")).end();
  });

  test("leaves no trace, also of applications that ask for credentials all the while", async () => {
    let running = true;
    let issued = 0;
    const refusals = new Set<string>();
    const applications = Array.from({ length: 4 }, async () => {
      while (running) {
        await issue(sandbox, "orders-local/database/creds/writer").then(
          () => issued++,
          (error: Error) => refusals.add(error.message),
        );
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    try {
      await deployment.takeDown();
    } finally {
      running = false;
      await Promise.all(applications);
    }
    expect(issued).toBeGreaterThan(20);
    expect([...refusals].some((message) => message.includes("not an allowed role"))).toBe(true);
    expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
  });
});
