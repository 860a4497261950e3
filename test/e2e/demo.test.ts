import { demonstrate } from "../../sandbox/demo";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "./announce";

jest.setTimeout(240_000);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
});
afterAll(() => sandbox?.stop());

test("the demonstration holds from the first deployment to the last trace", async () => {
  const checks = await demonstrate(
    sandbox,
    "local",
    () => undefined,
    () => undefined,
  );
  expect(checks.filter((check) => check.result !== "ok")).toEqual([]);
  const subjects = new Set(checks.map((check) => check.subject));
  for (const subject of ["migrations as owner", "api as writer", "reports as reader"]) {
    expect(subjects).toContain(`orders-local-${subject}`);
  }
});
