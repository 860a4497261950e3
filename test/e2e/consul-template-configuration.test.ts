import * as fs from "node:fs";
import * as path from "node:path";
import { App, TerraformStack } from "cdktf";
import { ConsulTemplateConfiguration, OnChange, type ConsulTemplateConfigurationProps } from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "./announce";
import { hasConsulTemplate, startConsulTemplate } from "./consul-template";

jest.setTimeout(120_000);

const source = { credsPath: "odd/creds" };

const available = hasConsulTemplate();
let sandbox: Sandbox | undefined;
beforeAll(async () => {
  if (!available) return;
  sandbox = await startSandbox({ onProgress: announce, terraform: false });
  const vault = sandbox.vault.client();
  await vault.write("sys/mounts/odd", { type: "kv", options: { version: "1" } });
  await vault.write("sys/policies/acl/odd", { policy: 'path "odd/creds" { capabilities = ["read"] }' });
});
afterAll(() => sandbox?.stop());
beforeEach(() => put("first"));

async function put(username: string): Promise<void> {
  await sandbox?.vault.client().write(source.credsPath, { username, password: "secret", ttl: "1s" });
}

/** A token in the file, with a TTL of seconds; perhaps wrapped. */
async function deliver(sandbox: Sandbox, folder: string, ttl: string, wrapped = false): Promise<string> {
  const issued = await sandbox.vault.client().call({
    method: "PUT",
    path: "auth/token/create",
    body: { policies: ["odd"], ttl },
    wrapSeconds: wrapped ? 60 : undefined,
  });
  const token = wrapped ? issued.wrap_info?.token : issued.auth?.client_token;
  fs.writeFileSync(path.join(folder, "token"), sandbox.lifetime.remember(token ?? ""), { mode: 0o600 });
  return (wrapped ? issued.wrap_info?.wrapped_accessor : issued.auth?.accessor) ?? "";
}

/** Runs a test with a folder of its own, where there is a consul-template. */
function testWithConsulTemplate(
  name: string,
  story: (
    sandbox: Sandbox,
    folder: string,
    configure: (changes?: Partial<ConsulTemplateConfigurationProps>) => string,
  ) => Promise<void>,
): void {
  (available ? test : test.skip)(name, async () => {
    if (sandbox === undefined) throw new Error("the sandbox has not started");
    const folder = fs.mkdtempSync(path.join(sandbox.directory, "consul-template-"));
    const { address } = sandbox.vault;
    await story(sandbox, folder, (changes = {}) => {
      const stack = new TerraformStack(new App({ stackTraces: false }), "stack");
      return new ConsulTemplateConfiguration(stack, "ConsulTemplate", {
        address,
        tokenFile: `${folder}/token`,
        files: [{ source, path: `${folder}/json` }],
        ...changes,
      }).text;
    });
  });
}

const read = (file: string) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "");

testWithConsulTemplate(
  "unwraps its token, renews it, and takes another that is written to its file",
  async (sandbox, folder, configure) => {
    const accessor = await deliver(sandbox, folder, "3s", true);
    const program = startConsulTemplate(sandbox, folder, configure({ tokenWrapped: true }));
    await program.until("the file is there", () => read(`${folder}/json`).includes("first"));
    expect(fs.statSync(`${folder}/json`).mode & 0o777).toBe(0o600);
    await new Promise((resolve) => setTimeout(resolve, 4000));
    const vault = sandbox.vault.client();
    const { data } = await vault.write("auth/token/lookup-accessor", { accessor });
    expect(data).toMatchObject({ policies: ["default", "odd"] });

    await vault.write("auth/token/revoke-accessor", { accessor });
    await put("second");
    const another = await deliver(sandbox, folder, "45s", true);
    await program.until("the file changed", () => read(`${folder}/json`).includes("second"), 40);
    // That one it does not renew, as the docstring says.
    const ended = () =>
      vault.write("auth/token/lookup-accessor", { accessor: another }).then(
        () => false,
        () => true,
      );
    await program.until("the other token ended", ended, 45);
  },
);

testWithConsulTemplate(
  "starts a program once the files are there, and sends it a signal after a change",
  async (sandbox, folder, configure) => {
    await deliver(sandbox, folder, "1h");
    const script = `trap 'echo got >>"$1/out"' HUP; trap 'echo bye >>"$1/out"; exit' TERM; cat "$1/json" >>"$1/out"; while :; do sleep 0.1; done`;
    const exec = {
      command: ["/bin/sh", "-c", script, "sh", folder],
      reloadSignal: "SIGHUP" as const,
    };
    const files = [
      { source, path: `${folder}/json`, onChange: OnChange.command(["/bin/sh", "-c", "exit 3"]) },
    ];
    const program = startConsulTemplate(sandbox, folder, configure({ exec, files }));
    await program.until("the program read the file", () => read(`${folder}/out`).includes("first"));
    await put("second");
    await program.until("it got the signal", () => read(`${folder}/out`).includes("got"));
    // A command that fails is in the log, and ends nothing.
    expect(program.log).toContain("exit code 3 of /bin/sh");
    await program.running.stop("SIGTERM", 5000);
    expect(read(`${folder}/out`)).toMatch(/bye\n$/);
  },
);

testWithConsulTemplate(
  "ends when it is told to, and else tries again",
  async (sandbox, folder, configure) => {
    const accessor = await deliver(sandbox, folder, "1h");
    await sandbox.vault.client().write("auth/token/revoke-accessor", { accessor });
    const ending = startConsulTemplate(sandbox, folder, configure({ exitOnRetryFailure: true }));
    expect(await ending.running.exited).not.toBe(0);
    const lasting = startConsulTemplate(sandbox, folder, configure());
    await lasting.until("it has tried more often than five times", () =>
      lasting.log.includes("retry attempt 7"),
    );
  },
);
