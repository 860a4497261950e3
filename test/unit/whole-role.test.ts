import { TerraformVariable } from "cdktf";
import {
  Access,
  DatabaseSecretsEngine,
  Duration,
  ManagerRole,
  PostgresDatabase,
  WriteOnlySecret,
  type DynamicRole,
  type DynamicRoleOptions,
} from "../../lib";
import { templateJson } from "../../lib/vault/template-json";
import { all, addressOf, one, synthesize, waitsFor, type Resource, type Synthesized } from "./synthesis";

const ROLE = "vault_database_secret_backend_role";
const WHOLE = "vault_generic_endpoint";

const CREATE = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`;

function build(change: (role: DynamicRole) => void = () => undefined, options: DynamicRoleOptions = {}) {
  return synthesize((stack) => {
    const database = new PostgresDatabase(stack, "Database", { name: "shop" });
    const manager = new ManagerRole(stack, "Manager", {
      name: "shop_manager",
      password: WriteOnlySecret.fromVariable(stack, "password"),
    });
    const connection = new DatabaseSecretsEngine(stack, "Secrets", {
      path: "shop/database",
      namespace: "team",
    }).addPostgresConnection("shop", { database, endpoint: { host: "db" }, manager });
    const baseRole =
      options.creationStatements === undefined
        ? database.addBaseRole("reader", { access: Access.readOnly() })
        : undefined;
    change(connection.addDynamicRole("reader", { ...options, ...(baseRole && { baseRole }) }));
  });
}

const data = (made: Synthesized) => JSON.parse(one(made, WHOLE).data_json as string) as Resource;

describe("a dynamic role", () => {
  test("is written as a whole, after it is made, and deleted by its own resource", () => {
    const made = build();
    const role = one(made, ROLE);
    expect(one(made, WHOLE)).toMatchObject({
      path: "shop/database/roles/reader",
      namespace: "team",
      disable_delete: true,
      ignore_absent_fields: true,
    });
    expect(data(made)).toEqual({
      db_name: "shop",
      creation_statements: role.creation_statements,
      renew_statements: role.renew_statements,
      revocation_statements: role.revocation_statements,
      rollback_statements: [],
      default_ttl: 3600,
      max_ttl: 86_400,
      credential_type: "password",
      credential_config: {},
    });
    expect(waitsFor(made, addressOf(made, WHOLE))).toContain(addressOf(made, ROLE));
  });

  test("has its own resource ignore every field that is written as a whole", () => {
    const made = build((role) => role.resource.addOverride("credential_type", "password"));
    const { ignore_changes: ignored } = one(made, ROLE).lifecycle as { ignore_changes: string[] };
    // A change of the connection's name makes the role anew.
    expect(Object.keys(data(made)).filter((name) => !ignored.includes(name))).toEqual(["db_name"]);
  });

  test("is written with what its user has overridden", () => {
    const made = build(({ resource }) => {
      resource.addOverride("default_ttl", 60);
      resource.addOverride("credential_type", "client_certificate");
      resource.addOverride("credential_config", { common_name_template: "{{.DisplayName}}" });
      resource.rollbackStatements = ["SELECT 1"];
      resource.maxTtl = 120;
    });
    expect(data(made)).toMatchObject({
      default_ttl: 60,
      max_ttl: 120,
      credential_type: "client_certificate",
      credential_config: { common_name_template: "{{.DisplayName}}" },
      rollback_statements: ["SELECT 1"],
    });
  });

  test("leaves the settings of another type of credential to the engine, unless they are said", () => {
    const made = build(({ resource }) => resource.addOverride("credential_type", "rsa_private_key"));
    expect(data(made)).not.toHaveProperty("credential_config");
    const said = build(({ resource }) => {
      resource.addOverride("credential_type", "rsa_private_key");
      resource.addOverride("credential_config", { key_bits: "4096" });
    });
    expect(data(said)).toMatchObject({ credential_config: { key_bits: "4096" } });
  });

  test("keeps by hand what its user has Terraform ignore", () => {
    const ours = build(({ resource }) => resource.addOverride("lifecycle.ignore_changes", ["max_ttl"]));
    expect(data(ours)).not.toHaveProperty("max_ttl");
    expect(data(ours)).toHaveProperty("default_ttl");
    const theirs = build(({ resource }) => (resource.lifecycle = { ignoreChanges: ["default_ttl"] }));
    expect(data(theirs)).not.toHaveProperty("default_ttl");
    expect(data(theirs)).toHaveProperty("max_ttl");
    const nothing = build(({ resource }) => (resource.lifecycle = { ignoreChanges: "all" }));
    expect(all(nothing, WHOLE)).toEqual([]);
  });

  test("keeps what its user says about its lifetime", () => {
    const made = build(({ resource }) => resource.addOverride("lifecycle.prevent_destroy", true));
    expect(one(made, ROLE).lifecycle).toMatchObject({ prevent_destroy: true });
    expect(data(made)).toHaveProperty("max_ttl");
  });

  test("is written as often as its own resource makes it", () => {
    const made = build(({ resource }) => resource.addOverride("count", "${var.many}"));
    expect(one(made, WHOLE)).toMatchObject({ count: "${var.many}" });
  });

  test("is written with what only Terraform knows", () => {
    const made = synthesizeWithVariable();
    expect(one(made, WHOLE).data_json).toContain(
      `"creation_statements" = ["${CREATE.replaceAll('"', '\\"')} -- \${var.note}"]`,
    );
  });
});

function synthesizeWithVariable(): Synthesized {
  return synthesize((stack) => {
    const note = new TerraformVariable(stack, "note", { type: "string" });
    const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", "shop/database");
    const database = PostgresDatabase.fromName(stack, "Database", "shop");
    const manager = ManagerRole.fromName(stack, "Manager", "shop_manager");
    const password = WriteOnlySecret.fromVariable(stack, "password");
    const endpoint = { host: "db" };
    engine.addPostgresConnection("shop", { database, endpoint, manager, password }).addDynamicRole("reader", {
      creationStatements: [`${CREATE} -- ${note.stringValue}`],
      defaultTtl: Duration.minutes(5),
    });
  });
}

describe("templateJson", () => {
  test("is plain JSON where there is no expression", () => {
    const fields = { a: ['"\\ \n{{name}} $${x} %%{y} $ % {}'], b: 1, c: {} };
    expect(templateJson(fields)).toBe(JSON.stringify(fields));
  });

  test.each([
    ["a text", { a: "x ${var.a} y" }, '{"a" = "x ${var.a} y"}'],
    ["a whole list", { a: "${var.list}" }, '{"a" = "${var.list}"}'],
    ["quotes and backslashes around it", { a: '"\\${var.a}"' }, '{"a" = "\\"\\\\${var.a}\\""}'],
    ["texts in the expression", { a: '${upper("}\\"{")} "' }, '{"a" = "${upper("}\\"{")} \\""}'],
    ["expressions in these", { a: '${"a${"}"}b"} "' }, '{"a" = "${"a${"}"}b"} \\""}'],
    ["braces", { a: "${{a={b=1}}.a.b} }" }, '{"a" = "${{a={b=1}}.a.b} }"}'],
    ["what is no expression beside it", { a: "$${x} %%{y} ${z}" }, '{"a" = "$${x} %%{y} ${z}"}'],
    ["a directive", { a: "%{if true}x%{endif}" }, '{"a" = "%{if true}x%{endif}"}'],
    ["a number", { n: "${var.n}" }, '{"n" = tonumber("${var.n}")}'],
    [
      "other values",
      { a: "${x}", b: [1, true, null, { c: "d" }] },
      '{"a" = "${x}", "b" = [1, true, null, {"c" = "d"}]}',
    ],
  ])("writes an expression of Terraform where there is one: %s", (_, fields, expected) => {
    expect(templateJson(fields, ["n"])).toBe(`\${jsonencode(${expected})}`);
  });
});
