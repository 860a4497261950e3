import type { TerraformStack } from "cdktf";
import {
  Access,
  AppRoleAuth,
  BaseRole,
  CredentialsTemplate,
  DatabaseSecretsEngine,
  Duration,
  KeyValueContent,
  KeyValueEngine,
  Login,
  ManagerRole,
  MysqlAccess,
  Policy,
  PostgresDatabase,
  Revocation,
  SystemdUnit,
  WriteOnlySecret,
  type DynamicRoleOptions,
  type MysqlConnectionOptions,
  type PolicyRule,
  type PostgresConnectionOptions,
} from "../../lib";
import { show } from "../../lib/errors";
import { synthesize } from "./synthesis";

const database = (stack: TerraformStack, name = "orders") =>
  new PostgresDatabase(stack, "Database", { name });
const secret = (stack: TerraformStack) => WriteOnlySecret.fromVariable(stack, "password");

function postgres(stack: TerraformStack, options: Partial<PostgresConnectionOptions> = {}, name = "c") {
  return new DatabaseSecretsEngine(stack, "Secrets").addPostgresConnection(name, {
    database: PostgresDatabase.fromName(stack, "Existing", "existing"),
    endpoint: options.connectionUrl === undefined ? { host: "db" } : undefined,
    manager: new ManagerRole(stack, "Manager", { name: "manager", password: secret(stack) }),
    ...options,
  });
}

function role(stack: TerraformStack, options: DynamicRoleOptions, name = "r") {
  return postgres(stack).addDynamicRole(name, {
    baseRole: BaseRole.fromName(stack, "Base", "base"),
    ...options,
  });
}

const mysql = (stack: TerraformStack, options: Partial<MysqlConnectionOptions>) =>
  new DatabaseSecretsEngine(stack, "Secrets").addMysqlConnection("c", {
    server: "mariadb",
    endpoint: { host: "db" },
    username: "manager",
    password: secret(stack),
    ...options,
  });

const policy = (stack: TerraformStack, name: string, rule: Partial<PolicyRule> = {}, id = name) =>
  new Policy(stack, id, { name, rules: [{ path: "a", capabilities: ["read"], ...rule }] });

const decomposed = "e\u0301";

describe("refuses", () => {
  const refused: readonly (readonly [string, (stack: TerraformStack) => unknown, RegExp])[] = [
    [
      "a decomposed letter, which Terraform composes",
      (s) => database(s, decomposed),
      /composes letters.*\n.*"é"/,
    ],
    [
      "a decomposed letter in SQL",
      (s) => role(s, { creationStatements: [`{{name}}{{password}}${decomposed}`] }),
      /NFC/,
    ],
    ["a NUL in SQL", (s) => role(s, { creationStatements: ["{{name}}{{password}}\u0000"] }), /holds a NUL/],
    ["half a character in a value", () => KeyValueContent.visible({ a: "\ud800" }), /not valid Unicode/],
    [
      "a template in SQL, without advice that leads back to it",
      (s) => role(s, { creationStatements: ["{{name}}{{password}}$${"] }),
      /Leave it out/,
    ],
    [
      "a template in a description",
      (s) => new DatabaseSecretsEngine(s, "E", { description: "${x}" }),
      /template/,
    ],
    [
      "a template in a namespace",
      (s) => new DatabaseSecretsEngine(s, "E", { namespace: "${x}" }),
      /template/,
    ],
    [
      "a template in a locale",
      (s) => new PostgresDatabase(s, "D", { name: "d", locale: "%{x}" }),
      /template/,
    ],

    ["a database whose name ends the provider's URL", (s) => database(s, "a?b"), /holds "\?"/],
    ["a database whose name begins a fragment", (s) => database(s, "a#b"), /holds "#"/],
    ["a database whose name is an escape in a URL", (s) => database(s, "a%41"), /holds "%"/],
    ["a database whose name ends the provider's literal", (s) => database(s, "a'b"), /holds "'"/],
    ["a database whose name would lose its first character", (s) => database(s, "/a"), /starts with "\/"/],
    ["a database of the server's own", (s) => database(s, "template1"), /is there already/],
    ["a schema that PostgreSQL reserves", (s) => database(s).addSchema("pg_x"), /reserved by PostgreSQL/],
    [
      "a base role that stands for everybody",
      (s) => BaseRole.fromName(s, "B", "public"),
      /reserved by PostgreSQL/,
    ],
    ["a login that stands for nobody", (s) => Login.fromName(s, "L", "none"), /reserved by PostgreSQL/],
    [
      "a role that the provider cannot find in an access list",
      (s) => BaseRole.fromName(s, "B", "a=b"),
      /holds "="/,
    ],
    [
      "a limit that is no count",
      (s) => new PostgresDatabase(s, "D", { name: "d", connectionLimit: NaN }),
      /connectionLimit NaN/,
    ],
    [
      "a limit that lets nobody in",
      (s) => role(s, { connectionLimit: 0 }),
      /connectionLimit 0[^]*from 1 to \d+, or -1/,
    ],
    ["schemas of one address", () => Access.readOnly({ schemas: ["a/b", "a--b"] }), /twice/],

    ["a schema twice", (s) => twoSchemas(s, "a", "a"), /Terraform address/],
    [
      "a base role without an id",
      (s) => database(s).addBaseRole("", { access: Access.readOnly() }),
      /empty name/,
    ],
    [
      "a base role with an id of the library's",
      (s) => database(s).addBaseRole("Resource", { access: Access.readOnly() }),
      /address/,
    ],
    ["a connection named as the library's part", (s) => postgres(s, {}, "Resource"), /Terraform address/],
    ["a role named as the library's part", (s) => role(s, {}, "config-c"), /Terraform address/],
    ["a secret named as another's address", (s) => twoSecrets(s, "a/b", "a--b"), /Terraform address/],
    ["a variable twice", (s) => [secret(s), secret(s)], /declared twice in "[^"]+"\.\n {2}Keep the/],
    [
      "a role that Terraform could not tell from another",
      (s) => handOut(s, "a/b", "a--b"),
      /Terraform address/,
    ],
    ["an output that Terraform cannot name", (s) => unit(s, "Agent", "a b"), /Terraform output/],
    [
      "a variable that Terraform cannot name",
      (s) => WriteOnlySecret.fromVariable(s, "1a"),
      /Terraform variable/,
    ],

    [
      "an engine at the server's own path",
      (s) => new DatabaseSecretsEngine(s, "E", { path: "sys/x" }),
      /server's own/,
    ],
    [
      "a key-value engine at the server's own path",
      (s) => new KeyValueEngine(s, "K", { path: "identity" }),
      /server's own/,
    ],
    [
      "an auth method at the server's own path",
      (s) => new AppRoleAuth(s, "A", { path: "token" }),
      /server's own/,
    ],
    ["the policy of every token", (s) => policy(s, "default"), /Vault's own/],
    ["a policy name that is another's path", (s) => policy(s, "a/../b"), /not usable/],
    ["a policy name that Vault takes for a way up", (s) => policy(s, "a..b"), /not usable/],
    ["a policy path with a way up", (s) => policy(s, "p", { path: "a/../b" }), /not an exact path/],
    [
      "a capability that ends the text",
      (s) => policy(s, "p", { capabilities: ['read"] } path "*" {' as "read"] }),
      /capabilities/,
    ],
    [
      "two policies of one name",
      (s) => [policy(s, "p"), policy(s, "p", { path: "b" }, "q")],
      /two policies named "p"/,
    ],

    [
      "a username template with a quote",
      (s) => postgres(s, { usernameTemplate: "a'{{random 20}}" }),
      /quotes/,
    ],
    [
      "a username template whose names are cut in a character",
      (s) => postgres(s, { usernameTemplate: "{{uuid}}é" }),
      /not ASCII/,
    ],
    [
      "a username template with a hidden quote",
      (s) => postgres(s, { usernameTemplate: '{{`"`}}{{random 20}}' }),
      /quotes/,
    ],
    [
      "a username template that ends a block",
      (s) => postgres(s, { usernameTemplate: "{{random 20}}$body$" }),
      /quotes/,
    ],
    [
      "user names that are cut to one",
      (s) => postgres(s, { usernameTemplate: `${"x".repeat(44)}{{random 20}}` }),
      /44 bytes/,
    ],
    [
      "a username template with a placeholder of SQL",
      (s) => postgres(s, { usernameTemplate: "{{name}}{{random 20}}" }),
      /stand in SQL only/,
    ],
    [
      "a username template that is not closed",
      (s) => postgres(s, { usernameTemplate: "{{random 20}}{{" }),
      /Close each/,
    ],
    [
      "user names that are reserved",
      (s) => postgres(s, { usernameTemplate: "pg_{{random 20}}" }),
      /reserves/,
    ],
    [
      "a root rotation without a password",
      (s) => postgres(s, { rootRotationStatements: ["ALTER ROLE {{name}}"] }),
      /\{\{password\}\}/,
    ],
    [
      "a root rotation of MySQL without a password",
      (s) => mysql(s, { rootRotationStatements: ["{{name}}"] }),
      /\{\{password\}\}/,
    ],
    [
      "an IPv6 zone, which no URL takes",
      (s) => postgres(s, { endpoint: { host: "fe80::1%eth0" } }),
      /PostgreSQL host/,
    ],
    [
      "half a character in a path",
      (s) => postgres(s, { endpoint: { host: "db", sslRootCert: "\ud800" } }),
      /not valid Unicode/,
    ],
    [
      "a TLS mode that is a method of objects",
      (s) => mysql(s, { endpoint: { host: "db", tls: "toString" as "require" } }),
      /TLS mode/,
    ],
    [
      "a line feed in a URL",
      (s) => postgres(s, { connectionUrl: "postgresql://{{username}}:{{password}}@db/a\nb" }),
      /printable ASCII/,
    ],
    [
      "a password in a URL, by another spelling",
      (s) => postgres(s, { connectionUrl: "postgresql://{{username}}:{{password}}@db/a?%70assword=x" }),
      /holds a login/,
    ],
    [
      "a duration that Vault cannot count",
      () => Duration.seconds(9_223_372_037),
      /longer than Vault can count/,
    ],
    [
      "a timeout that PostgreSQL cannot count",
      () => Revocation.drain({ idleSessionTimeout: Duration.days(25) }),
      /does not take/,
    ],

    ["a number that JSON does not have", () => KeyValueContent.visible({ a: NaN }), /number NaN/],
    [
      "a role name that Vault takes for a way up",
      (s) => role(s, {}, "a..b"),
      /cannot be used in a Vault path/,
    ],
    [
      "an engine's path that Vault takes for a way up",
      (s) => new KeyValueEngine(s, "E", { path: "a..b" }),
      /not usable/,
    ],
    ["an output that JavaScript loses", (s) => unit(s, "a unit", "__proto__"), /not usable/],
    ["a key that JavaScript loses", () => KeyValueContent.visible({ ["__proto__"]: 1 }), /__proto__/],
    [
      "a template whose end makes another",
      () => CredentialsTemplate.text("{{ .Data.username }}$"),
      /ends in/,
    ],
    ["a description that swallows the next line", (s) => unit(s, "Agent\\"), /ends in a backslash/],
    ["a MySQL name beyond U+FFFF", () => MysqlAccess.readOnly({ databases: ["𝕏"] }), /beyond U\+FFFF/],
    [
      "a MySQL database of the server's own",
      () => MysqlAccess.readWrite({ databases: ["mysql"] }),
      /server's own/,
    ],
    [
      "a MySQL pattern that is too long",
      () => MysqlAccess.readOnly({ databases: ["_".repeat(33)] }),
      /66 characters/,
    ],
  ];

  test.each(refused)("%s", (_, build, message) => {
    expect(() => synthesize((stack) => void build(stack))).toThrow(message);
    expect(() => synthesize((stack) => void build(stack))).toThrow(
      expect.objectContaining({ name: "ConfigurationError" }) as Error,
    );
  });
});

test("a template of Terraform's in a URL is refused without the URL, which may hold a password", () => {
  const connectionUrl = "postgresql://{{username}}:{{password}}@db/${secret}";
  expect(() => synthesize((stack) => void postgres(stack, { connectionUrl }))).toThrow(/"\$\{"/);
  expect(() => synthesize((stack) => void postgres(stack, { connectionUrl }))).not.toThrow(/secret\}/);
});

test("policies that say the same may have one name, as those of a role that is imported twice", () => {
  synthesize((stack) => {
    policy(stack, "p");
    policy(stack, "p", {}, "q");
  });
});

test("a message shows what a terminal would obey", () => {
  expect(show("\u001b[2J\u009b\u202e\ufeff")).toBe('"\\u001b[2J\\u009b\\u202e\\ufeff"');
  expect(show("𝕏".repeat(50))).not.toMatch(/\p{Surrogate}/u);
});

function twoSchemas(stack: TerraformStack, ...schemas: readonly string[]): void {
  const declared = database(stack);
  schemas.forEach((schema) => declared.addSchema(schema));
}

function twoSecrets(stack: TerraformStack, ...paths: readonly string[]): void {
  const engine = new KeyValueEngine(stack, "Values");
  paths.forEach((path) => engine.addSecret(path, { content: KeyValueContent.visible({ a: 1 }) }));
}

function handOut(stack: TerraformStack, ...names: readonly string[]): void {
  const manager = new ManagerRole(stack, "Manager", { name: "manager", password: secret(stack) });
  names.forEach((name, index) => manager.handOut(BaseRole.fromName(stack, `Base${index}`, name)));
}

function unit(stack: TerraformStack, description: string, outputName?: string): SystemdUnit {
  const command = ["/usr/bin/vault"];
  return new SystemdUnit(stack, "Unit", {
    description,
    command,
    user: "x",
    runtimeDirectory: "x",
    outputName,
  });
}
