import { Fn, TerraformVariable, Token, type TerraformStack } from "cdktf";
import { AppRoleAuth, KeyValueContent, KeyValueEngine, KeyValueSecret, WriteOnlySecret } from "../../lib";
import { addressOf, all, one, synthesize, waitsFor } from "./synthesis";

const TYPE = "vault_kv_secret_v2";
const secretOf = (scope: TerraformStack, name = "password", version?: number) =>
  WriteOnlySecret.fromVariable(scope, name, { version });

describe("KeyValueEngine", () => {
  test("minimal definition: version 2, at secret", () => {
    const mount = one(
      synthesize((scope) => new KeyValueEngine(scope, "KeyValue")),
      "vault_mount",
    );
    expect(mount).toMatchObject({ path: "secret", type: "kv", options: { version: "2" } });
  });

  test("refuses a path with a wildcard, and two secrets of one path", () => {
    const content = KeyValueContent.visible({ host: "db" });
    const add = (...paths: string[]) =>
      synthesize((scope) => {
        const engine = new KeyValueEngine(scope, "KeyValue");
        for (const path of paths) engine.addSecret(path, { content });
      });
    expect(() => add("app/*")).toThrow('The key-value secret path "app/*" is not usable.');
    expect(() => add("app/config", "app/Config")).toThrow("has two secrets named");
  });
});

describe("KeyValueSecret", () => {
  const build = (content: (scope: TerraformStack) => KeyValueContent) =>
    synthesize((scope) =>
      new KeyValueEngine(scope, "KeyValue", { path: "delphi/kv" }).addSecret("delphi/database/config", {
        content: content(scope),
      }),
    );

  test("is written after its engine, never read, and removed with all its versions", () => {
    const made = build(() => KeyValueContent.visible({ host: "db" }));
    expect(one(made, TYPE)).toMatchObject({
      mount: "delphi/kv",
      name: "delphi/database/config",
      disable_read: true,
      delete_all_versions: true,
    });
    expect(waitsFor(made, addressOf(made, TYPE))).toContain(addressOf(made, "vault_mount"));
  });

  test("shows visible values as they are, in the order of their keys", () => {
    const made = build(() => KeyValueContent.visible({ port: 5432, host: "db", tls: true }));
    expect(one(made, TYPE).data_json).toBe('{"host":"db","port":5432,"tls":true}');
  });

  test("encodes visible values that only Terraform knows", () => {
    const made = build((scope) => {
      const host = new TerraformVariable(scope, "host", { type: "string" });
      const port = new TerraformVariable(scope, "port", { type: "number" });
      return KeyValueContent.visible({ host: host.stringValue, port: Token.asNumber(port.value) });
    });
    expect(one(made, TYPE).data_json).toBe('${jsonencode({"host" = var.host, "port" = var.port})}');
  });

  test("has secret values as a write-only argument, sent by their version", () => {
    const made = build((scope) => KeyValueContent.writeOnly({ password: secretOf(scope, "word", 3) }));
    const secret = one(made, TYPE);
    expect(secret).toMatchObject({
      data_json_wo: '${jsonencode({"password" = var.word})}',
      data_json_wo_version: 3,
    });
    expect(secret).not.toHaveProperty("data_json");
    expect(made.variable.word).toMatchObject({ sensitive: true, ephemeral: true });
  });

  test("has the reference of an expression, not its text, also as a token of CDKTF's", () => {
    const data = "ephemeral.vault_kv_secret_v2.manager.data";
    const made = build((scope) => {
      const word = new TerraformVariable(scope, "word", {});
      return KeyValueContent.writeOnly({
        a: WriteOnlySecret.fromExpression(`\${${data}.password}`),
        b: WriteOnlySecret.fromExpression(`\${ ${data}["pass-word"] }`),
        c: WriteOnlySecret.fromExpression(Fn.trimspace(word.stringValue)),
      });
    });
    expect(one(made, TYPE).data_json_wo).toBe(
      `\${jsonencode({"a" = ${data}.password, "b" = ${data}["pass-word"], "c" = trimspace(var.word)})}`,
    );
  });

  test.each(["password", "db_password", "TOKEN", "client-secret", "private_key"])(
    "refuses a visible %s",
    (key) => {
      expect(() => KeyValueContent.visible({ [key]: "x" })).toThrow(
        /would stand in the synthesized file.*KeyValueContent\.writeOnly/,
      );
    },
  );

  test("does not take a value like a path of tokens for a secret", () => {
    expect(() => KeyValueContent.visible({ token_path: "x", password_policy: "y" })).not.toThrow();
  });

  test("refuses versions that differ: the values are sent together", () => {
    expect(() =>
      build((scope) => KeyValueContent.writeOnly({ a: secretOf(scope, "a", 2), b: secretOf(scope, "b", 1) })),
    ).toThrow("have the versions 1 and 2");
  });

  test("refuses no content, keys that need quoting, and templates of Terraform", () => {
    expect(() => KeyValueContent.visible({})).toThrow("is empty");
    expect(() => KeyValueContent.writeOnly({})).toThrow("is empty");
    expect(() => KeyValueContent.visible({ 'a"b': "x" })).toThrow("has the key");
    expect(() => KeyValueContent.visible({ a: "%{ if }" })).toThrow("Terraform reads as a template");
  });

  test("is opened by one exact-path policy, however many may read it", () => {
    const made = synthesize((scope) => {
      const secret = new KeyValueEngine(scope, "KeyValue").addSecret("Delphi/config", {
        content: KeyValueContent.visible({ host: "db" }),
      });
      const auth = new AppRoleAuth(scope, "AppRoles");
      for (const name of ["web", "worker"]) secret.grantRead(auth.addRole(name));
    });
    expect(one(made, "vault_policy")).toMatchObject({
      name: "secret/data/delphi/config",
      policy: 'path "secret/data/Delphi/config" {\n  capabilities = ["read"]\n}\n',
    });
    for (const role of all(made, "vault_approle_auth_backend_role")) {
      expect(role.token_policies).toEqual(["secret/data/delphi/config"]);
    }
  });

  test("of elsewhere is readable by a policy of this stack, and nothing else is declared", () => {
    const made = synthesize((scope) => {
      const engine = KeyValueEngine.fromPath(scope, "KeyValue", "shared/kv");
      const secret = KeyValueSecret.fromPath(scope, "Secret", { engine, path: "team/config" });
      secret.grantRead(new AppRoleAuth(scope, "AppRoles").addRole("web"));
      expect(secret.dataPath).toBe("shared/kv/data/team/config");
    });
    expect(one(made, "vault_policy").name).toMatch(
      /^shared\/kv\/data\/team\/config\.for\.approle\.web-[0-9a-f]{8}$/,
    );
    expect([all(made, "vault_mount"), all(made, TYPE)]).toEqual([[], []]);
  });
});
