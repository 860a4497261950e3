import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { App, TerraformStack } from "cdktf";
import fc from "fast-check";
import { ConsulTemplateConfiguration, CredentialsTemplate } from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { startAgentInstead } from "../e2e/consul-template";
import { cases, hostileText, unlessRefused } from "./hostile-values";

jest.setTimeout(120_000);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ terraform: false });
  const vault = sandbox.vault.client();
  await vault.write("sys/mounts/odd", { type: "kv", options: { version: "1" } });
  await vault.write("odd/creds", { username: "u", password: "p", ttl: "1h" });
});
afterAll(() => sandbox?.stop());

test("values that are taken are rendered as they are, for a JSON parser and for a shell", async () => {
  const texts = fc.sample(hostileText, cases(300, 4000).numRuns);
  const taken = texts.filter((v) =>
    unlessRefused(() => [
      CredentialsTemplate.json({ values: { v } }),
      CredentialsTemplate.env({ values: { v } }),
    ]),
  );
  const values = Object.fromEntries([...new Set(taken)].map((value, index) => [`V${index}`, value]));
  expect(Object.keys(values).length).toBeGreaterThan(50);

  const tokenFile = path.join(sandbox.directory, "token");
  fs.writeFileSync(tokenFile, sandbox.vault.rootToken, { mode: 0o600 });
  const [json = "", env = ""] = ["db.json", "db.env"].map((name) => path.join(sandbox.directory, name));
  const source = { credsPath: "odd/creds" };
  const { text } = new ConsulTemplateConfiguration(new TerraformStack(new App(), "stack"), "Configuration", {
    address: sandbox.vault.address,
    tokenFile,
    files: [
      { source, path: json, template: CredentialsTemplate.json({ values }) },
      { source, path: env, template: CredentialsTemplate.env({ values }) },
    ],
  });
  const agent = await startAgentInstead(sandbox, sandbox.directory, text);
  await agent.until("both files are there", () => fs.existsSync(json) && fs.existsSync(env));

  expect(JSON.parse(fs.readFileSync(json, "utf8"))).toEqual({ ...values, username: "u", password: "p" });
  // A value may be longer than an argument, so it is the shell's own printf that prints it.
  const print = Object.keys(values).map((name) => `printf '%s\\0' "$${name}"`);
  const script = path.join(sandbox.directory, "print.sh");
  fs.writeFileSync(script, [`. ${env}`, ...print].join("\n"));
  const printed = execFileSync("/bin/sh", [script], { encoding: "utf8", maxBuffer: 1e9 });
  expect(printed.split("\0").slice(0, -1)).toEqual(Object.values(values));
});
