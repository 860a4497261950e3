import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { main } from "../../cli/main";
import { outputsOfStack, parseOutputs } from "../../cli/outputs";
import { SynthesizedStack } from "../../cli/terraform";
import { FakeShell } from "../sandbox/fake-shell";
import { FakeVault, json } from "./fake-vault";
import { OUTPUTS } from "./operator-outputs";

type Json = Record<string, unknown>;

/** The outputs with another value at a place such as `roles.reader.creds_path`. */
function changed(place: string, value: unknown): Json {
  const copy = structuredClone(OUTPUTS) as unknown as Json;
  const steps = place.split(".");
  const last = steps.pop() ?? "";
  const target = steps.reduce((at, step) => at[step] as Json, copy);
  target[last] = value;
  return { dev: copy };
}

test("what a deployment writes is taken as it is, also what is not known here", () => {
  expect(parseOutputs({ dev: OUTPUTS }, "dev", "a file")).toEqual(OUTPUTS);
  const more = changed("vault.cluster", "a");
  expect(parseOutputs(more, "dev", "a file").vault).toHaveProperty("cluster", "a");
  const asText = changed("postgres.port", "5432");
  expect(parseOutputs(asText, "dev", "a file").postgres.port).toBe(5432);
});

const HOSTILE: readonly (readonly [place: string, value: unknown])[] = [
  ...[
    "x/../../sys/seal",
    "sys/seal",
    "x/database/creds/reader?x=1",
    "x/database/creds/reader#",
    "/x/database/creds/reader",
  ].map((value) => ["roles.reader.creds_path", value] as const),
  ...[
    "x//database/creds/reader",
    "https://evil.example/x",
    "x/database/creds/writer",
    "x/database/creds/reader/",
    "x/database/creds/%72eader",
  ].map((value) => ["roles.reader.creds_path", value] as const),
  ["static_roles.legacy.creds_path", "x/database/creds/reader"],
  ["static_roles.legacy.rotate_path", "x/database/rotate-root/x"],
  ["approles.api.secret_id_path", "auth/x/approle/role/../role/api/secret-id"],
  ["approles.api.secret_id_path", "auth/x/approle/role/reports/secret-id"],
  ["approles.api.login_path", "auth/token/create"],
  ...[
    "../sys",
    "sys",
    "auth/x/approle",
    "a//b",
    "/a",
    "a/",
    "a/./b",
    "a?b",
    "a b",
    "a/\u001b[0m",
    "",
    7,
    null,
    "*",
    "+",
  ].map((value) => ["vault.mount", value] as const),
  ["vault.approle_mount", "token"],
  ["vault.approle_mount", "../../sys"],
  ["vault.connection", "x/y"],
  ["vault.connection", ".."],
  ...["file:///etc/passwd", "vault", "http://h\u001b", 1].map((value) => ["vault.address", value] as const),
  ["vault.namespace", "a\nX-Vault-Token: b"],
  ["vault.namespace", ["a"]],
  ["postgres.host", "h\u0007"],
  ["postgres.host", null],
  ...["5432x", -1, 1.5, {}, true].map((value) => ["postgres.port", value] as const),
  ["postgres.sslmode", "none"],
  ["postgres.manager", "m\u009b2J"],
  ["roles.reader.base_role", "r\u202e"],
  ["roles.reader.schemas", "public"],
  ["roles.reader.default_ttl", "1h"],
  ["roles.reader", []],
  ["roles", { "a/../b": OUTPUTS.roles.reader }],
  ["roles", { "\u001b[2J": OUTPUTS.roles.reader }],
  ["approles.api.roles", { 0: "reader" }],
  ["approles.api.role_id", 1],
  ...["yes", 1].map((value) => ["approles.api.settings.bind_secret_id", value] as const),
  ["approles.api.settings.token_ttl", "1h"],
  ["approles.api.settings.token_bound_cidrs", "10.0.0.0/8"],
  ...["../../sys/seal", "a\u001b", "a//b", "a?list=true"].map(
    (name) => ["approles.api.settings.token_policies", [name]] as const,
  ),
  ["policies", { "../../sys/seal": "00" }],
  ["policies", { reader: "\u001b" }],
  ["policies", ["reader"]],
  ["vault.connection_url", "postgresql://h\u001b"],
  ["group_stacks", ["../../elsewhere"]],
  ["group_stacks", ["a\u001b"]],
  ["group_stacks", "dev-a"],
];

test.each(HOSTILE)("%s as %j is refused, with its place and what it has to be", (place, value) => {
  let problem = "";
  try {
    parseOutputs(changed(place, value), "dev", "a file");
  } catch (error) {
    problem = (error as Error).message;
  }
  const [first = "", second = ""] = place.split(".");
  expect(problem).toMatch(
    new RegExp(`^a file is not what a deployment writes\\. The output "${first}.*${second}`),
  );
  expect(problem).toMatch(/It has to be|Such a name/);
  // eslint-disable-next-line no-control-regex -- control characters are just what must not show
  expect(problem).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

describe("the program", () => {
  let folder: string;
  let vault: FakeVault;
  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "outputs-"));
    vault = await FakeVault.start();
  });
  afterAll(async () => {
    await vault.stop();
    fs.rmSync(folder, { recursive: true });
  });

  async function run(args: readonly string[], outputs: Json = { dev: OUTPUTS }) {
    const file = path.join(folder, "outputs.json");
    fs.writeFileSync(file, JSON.stringify(outputs));
    const shell = new FakeShell({ VAULT_ADDR: vault.address, VAULT_TOKEN: "t" });
    const code = await main([...args, "--outputs", file], shell);
    return { code, out: shell.out.join("\n"), err: shell.err.join("\n") };
  }

  test("sends no token on the word of outputs that lead elsewhere", async () => {
    for (const secretIdPath of [
      "auth/x/approle/role/api/../../../../sys/seal",
      "sys/seal?",
      "auth/x//secret-id",
    ]) {
      const before = vault.seen.length;
      const { code, err } = await run(
        ["secret-id", "dev", "api"],
        changed("approles.api.secret_id_path", secretIdPath),
      );
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("secret_id_path") as string });
      expect(vault.seen.length).toBe(before);
    }
  });

  /** What must not reach a terminal. */
  // eslint-disable-next-line no-control-regex -- control characters are just what must not show
  const ACTING = new RegExp("[\\u001b\\u0007\\u009b\\u202e\\r]");
  const ACTS = "\u001b]0;owned\u0007\u009b2J\u202e\rok";
  const SHOWN = "\\u001b]0;owned\\u0007\\u009b2J\\u202e";

  describe("status", () => {
    const without = (all: object, ...names: readonly string[]) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));
    /** As a deployment of before wrote them. */
    const older = {
      ...without(OUTPUTS, "policies"),
      vault: without(OUTPUTS.vault, "connection_url"),
      approles: Object.fromEntries(
        Object.entries(OUTPUTS.approles).map(([name, approle]) => [name, without(approle, "settings")]),
      ),
    };

    test("compares all that the outputs hold", async () => {
      const { code, out } = await run(["status", "dev"]);
      expect(code).toBe(0);
      expect(out).not.toMatch(/compared|declared/);
    });

    test("names what outputs of an earlier deployment do not say, and does not say that nothing is amiss", async () => {
      const { code, out } = await run(["status", "dev"], { dev: older });
      expect(code).toBe(0);
      expect(out).toMatch(
        /declared host and port, with the declared TLS, was not looked at: an earlier deploy/,
      );
      expect(out).toMatch(/The settings and policies of api and reports were not compared .* Deploy again\./);
      expect(out).toContain("Nothing is amiss in what was looked at.");
    });

    test("of an earlier deployment compares the RoleID all the same", async () => {
      vault.instead = ({ path: at }) =>
        at.endsWith("reports/role-id") ? json(200, { data: { role_id: "its-new-id" } }) : undefined;
      const { code, out } = await run(["status", "dev"], { dev: older });
      vault.instead = () => undefined;
      expect(code).toBe(1);
      expect(out).toMatch(/changed approle +reports +it has another RoleID/);
      expect(out).not.toContain("its-new-id");
    });

    test("says that it may not list AppRoles, as with the rights of an earlier version", async () => {
      vault.instead = ({ method, path: at }) =>
        `${method} ${at}` === "LIST auth/x/approle/role"
          ? json(403, { errors: ["permission denied"] })
          : undefined;
      const { code, out } = await run(["status", "dev"]);
      vault.instead = () => undefined;
      expect(code).toBe(0);
      expect(out).toMatch(
        /AppRoles that the environment does not declare was not looked at: VAULT_TOKEN lacks/,
      );
    });

    test("says that a missing policy may be one of the environment's own stack, deployed since", async () => {
      const name = "x/database/creds/writer";
      vault.instead = ({ path: at }) =>
        at === `sys/policies/acl/${name}` ? json(404, { errors: [] }) : undefined;
      const policies = without(OUTPUTS.policies ?? {}, name);
      const { code, out } = await run(["status", "dev"], { dev: { ...OUTPUTS, policies } });
      vault.instead = () => undefined;
      expect(code).toBe(1);
      expect(out).toMatch(/missing policy +x\/database\/creds\/writer/);
      expect(out).toMatch(
        /cdktf deploy dev, as for a role that no application read before; or, where another/,
      );
    });

    test("names policies whose text others declare, and an engine that does not tell its URL", async () => {
      vault.instead = ({ path: at }) =>
        at === "x/database/config/x" ? json(200, { data: { allowed_roles: ["*"] } }) : undefined;
      const policies = without(OUTPUTS.policies ?? {}, "x/database/creds/writer");
      const { code, out } = await run(["status", "dev"], { dev: { ...OUTPUTS, policies } });
      vault.instead = () => undefined;
      expect(code).toBe(0);
      expect(out).toMatch(/text of the policies x\/database\/creds\/writer was not compared/);
      expect(out).toMatch(/was not looked at: the engine does not tell its URL/);
    });

    test("shows no part of a URL that may be a password", async () => {
      const urls = [
        "postgresql://u:pass/word@h/x",
        "host=h password=password",
        "postgresql://u:pass@word/x@h",
      ];
      for (const connection_url of urls) {
        const details = { connection_url, username: "x_manager" };
        vault.instead = ({ path: at }) =>
          at === "x/database/config/x"
            ? json(200, { data: { allowed_roles: ["*"], connection_details: details } })
            : undefined;
        const { code, out } = await run(["status", "dev"]);
        expect({ code, out }).toEqual({
          code: 1,
          out: expect.stringMatching(/changed connection +x +its URL is in another form/) as string,
        });
        expect(out).not.toMatch(/pass|word/);
      }
      vault.instead = () => undefined;
    });
  });

  test("shows what a server says that would act on a terminal, in tables, errors and JSON", async () => {
    vault.instead = ({ path: at }) =>
      at.startsWith("sys/leases?")
        ? json(200, {
            data: { leases: [{ lease_id: `x/database/creds/reader/${ACTS}\nfake`, error: ACTS }] },
          })
        : undefined;
    const table = await run(["status", "dev"]);
    expect(table.out).toContain(`creds/reader/${SHOWN}\\u000dok\\u000afake`);
    expect(table.out).not.toMatch(ACTING);
    const asJson = await run(["status", "dev", "--json"]);
    expect(asJson.out).not.toMatch(ACTING);
    const { findings } = JSON.parse(asJson.out) as { findings: { detail: string }[] };
    expect(findings.map(({ detail }) => detail)).toEqual([ACTS]);

    vault.instead = () => json(500, { errors: [ACTS] });
    const failed = await run(["status", "dev"]);
    expect(failed.err).not.toMatch(ACTING);
    vault.instead = ({ path: at }) =>
      at.startsWith("sys/health") ? undefined : json(500, { errors: [ACTS] });
    expect((await run(["status", "dev"])).err).toContain(SHOWN);
    vault.instead = () => undefined;
  });

  test("shows what the command line and files say in the same way", async () => {
    const { err } = await run(["rotate", "dev", ACTS]);
    expect(err).toContain(`no static role "${SHOWN}`);
    expect((await run([ACTS])).err).not.toMatch(ACTING);
  });
});

describe("what Terraform says", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "outputs-"));
    fs.mkdirSync(path.join(folder, "stacks/dev"), { recursive: true });
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  function terraform(script: string): NodeJS.ProcessEnv {
    const file = path.join(folder, "terraform");
    fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    return { PATH: process.env.PATH, TERRAFORM_BINARY_NAME: file };
  }

  test("may be of any length: the outputs of thousands of roles, and a state", async () => {
    const [reader] = Object.entries(OUTPUTS.roles);
    const roles = Object.fromEntries(
      Array.from({ length: 8_000 }, (_, index) => {
        const name = `role-${index}`;
        return [name, { ...reader![1], creds_path: `${OUTPUTS.vault.mount}/creds/${name}` }];
      }),
    );
    const file = path.join(folder, "outputs.json");
    fs.writeFileSync(file, JSON.stringify({ ...OUTPUTS, roles }));
    expect(fs.statSync(file).size).toBeGreaterThan(1024 * 1024);
    const outputs = await outputsOfStack("dev", folder, terraform(`cat ${file}`));
    expect(Object.keys(outputs.roles)).toHaveLength(8_000);
    const long = 65 * 1024 * 1024;
    const env = terraform(`head -c ${long} /dev/zero | tr '\\0' x`);
    expect(await new SynthesizedStack("dev", folder, env).terraform(["state", "pull"])).toHaveLength(long);
  });

  test.each([
    ["is not there", () => ({ PATH: "/nowhere" }), /ENOENT/, /TERRAFORM_BINARY_NAME[^]*--outputs/],
    ["fails", () => terraform("echo No state >&2; exit 1"), /No state$/, /^See whether terraform output/],
  ])("is told where it %s, with what helps", async (_, env, message, remedy) => {
    await expect(outputsOfStack("dev", folder, env())).rejects.toMatchObject({
      message: expect.stringMatching(message) as string,
      remedy: expect.stringMatching(remedy) as string,
    });
  });
});
