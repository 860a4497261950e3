import * as fs from "node:fs";
import * as path from "node:path";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { FULL } from "../security/servers";
import { blocksOf, type Block } from "./blocks";
import { programs, project, run, scriptOf, withServersOf } from "./script";

jest.setTimeout(300_000);

let sandbox: Sandbox;
beforeAll(async () => {
  if (!FULL)
    return announce(
      "docs/groups.md is followed in the full set only; test/e2e/groups.test.ts plays the same.",
    );
  sandbox = await startSandbox({ onProgress: announce });
});
afterAll(() => sandbox?.stop());

const sh = (text: string): Block => ({ language: "sh", text, line: 0, added: false });

(FULL ? test : test.skip)("one stack becomes several, without a change on the servers", async () => {
  const blocks = blocksOf("docs/groups.md");
  const [main, deploy, move] = blocks;
  expect(blocks.map(({ language }) => language)).toEqual(["ts", "sh", "sh"]);
  if (main === undefined || deploy === undefined || move === undefined) return;
  const cwd = path.join(sandbox.directory, "project");
  fs.mkdirSync(cwd);
  project(cwd);
  // All in one stack: the groups' roles and applications are the environment's own.
  const before = main.text
    .replace(/ {2}groups: \{[^]*?\n {2}\},\n/, "")
    .replace(
      "roles: {",
      'roles: { biller: { access: Access.readWrite({ schemas: ["app"] }) }, indexer: { access: Access.readOnly({ schemas: ["app"] }) },',
    )
    .replace(
      "applications: {",
      'applications: { billing: { roles: ["biller"] }, search: { roles: ["indexer"] },',
    );
  const log = await run(
    sandbox,
    scriptOf(
      [
        { ...main, text: before },
        sh("npx cdktf deploy dev --auto-approve"),
        main,
        move,
        sh("echo === deploy"),
        deploy,
      ],
      (text) =>
        withServersOf(sandbox, text.replaceAll(/cdktf deploy dev( 'dev-\*'|-billing)/g, "$& --auto-approve")),
    ),
    { cwd, programs: await programs(sandbox, "groups"), env: sandbox.env },
  );
  expect(log).toMatch(/Apply complete! Resources: 0 added, 0 changed, 0 destroyed/);
  expect(log.slice(log.indexOf("=== deploy"))).not.toMatch(/Resources: [1-9]\d* added|, [1-9]\d* destroyed/);
});
