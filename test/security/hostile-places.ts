// Every place of the library that takes a text or a number of the user's, with where it stands in the synthesized stack.
import type { TerraformStack } from "cdktf";
import {
  Access,
  AppRoleAuth,
  AuditDevice,
  BaseRole,
  ConsulTemplateConfiguration,
  CredentialsTemplate,
  DatabaseSecretsEngine,
  Duration,
  DynamicRole,
  KeyValueContent,
  KeyValueEngine,
  Login,
  ManagerRole,
  MysqlAccess,
  OnChange,
  Policy,
  PostgresDatabase,
  RateLimitQuota,
  RateLimitTarget,
  Revocation,
  SystemdUnit,
  VaultAgentConfiguration,
  WriteOnlySecret,
  type DynamicRoleOptions,
  type MysqlConnectionOptions,
  type MysqlDynamicRoleOptions,
  type PostgresConnectionOptions,
} from "../../lib";

/** A place, which builds a stack around a value and says what the synthesized text there has to be, if more than to hold it. */
export interface Place<T> {
  readonly what: string;
  readonly build: (stack: TerraformStack, value: T) => void;
  /** The text as it stands there. @default - the value itself */
  readonly standsAs?: (value: T) => string;
}

const secret = (stack: TerraformStack) => WriteOnlySecret.fromVariable(stack, "manager_password");
const database = (stack: TerraformStack, name = "orders") =>
  new PostgresDatabase(stack, "Database", { name });
const engine = (stack: TerraformStack, path = "database") =>
  new DatabaseSecretsEngine(stack, "Secrets", { path });

function postgres(stack: TerraformStack, options: Partial<PostgresConnectionOptions> = {}) {
  return engine(stack).addPostgresConnection("c", {
    database: PostgresDatabase.fromName(stack, "Existing", "existing"),
    endpoint: options.connectionUrl === undefined ? { host: "db" } : undefined,
    manager: new ManagerRole(stack, "Manager", { name: "manager", password: secret(stack) }),
    ...options,
  });
}

function role(stack: TerraformStack, options: Partial<DynamicRoleOptions> = {}, name = "r") {
  const baseRole = BaseRole.fromName(stack, "Base", "base");
  return postgres(stack).addDynamicRole(
    name,
    options.creationStatements ? options : { baseRole, ...options },
  );
}

function mysql(stack: TerraformStack, options: Partial<MysqlConnectionOptions> = {}) {
  return engine(stack).addMysqlConnection("c", {
    server: "mariadb",
    endpoint: options.connectionUrl === undefined ? { host: "db" } : undefined,
    username: "manager",
    password: secret(stack),
    ...options,
  });
}

const mysqlRole = (stack: TerraformStack, options: MysqlDynamicRoleOptions) =>
  mysql(stack).addDynamicRole("r", options);

const CREATION = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}';`;
const backslashed = (text: string) => text.replaceAll("'", "''");
const inBackticks = (text: string) => text.replaceAll("`", "``");

/** Names and texts of PostgreSQL, of the engines and of their servers. */
export const SERVER_PLACES: readonly Place<string>[] = [
  { what: "database", build: (s, name) => void database(s, name) },
  { what: "database, imported", build: (s, n) => PostgresDatabase.fromName(s, "D", n).addSchema("app") },
  {
    what: "database of a connection",
    standsAs: (name) => `:5432/${encodeURIComponent(name)}?`,
    build: (s, name) => void postgres(s, { database: PostgresDatabase.fromName(s, "D", name) }),
  },
  { what: "database owner", build: (s, owner) => void new PostgresDatabase(s, "D", { name: "d", owner }) },
  {
    what: "encoding",
    build: (s, encoding) => void new PostgresDatabase(s, "D", { name: "d", encoding }),
    standsAs: String,
  },
  { what: "locale", build: (s, locale) => void new PostgresDatabase(s, "D", { name: "d", locale }) },
  { what: "template", build: (s, template) => void new PostgresDatabase(s, "D", { name: "d", template }) },
  { what: "schema", build: (s, name) => database(s).addSchema(name) },
  {
    what: "schema of an access",
    build: (s, name) => void database(s).addBaseRole("b", { access: Access.readWrite({ schemas: [name] }) }),
  },
  {
    what: "table of a grant",
    build: (s, table) =>
      void database(s).addBaseRole("b", {
        access: Access.custom([{ on: "table", schema: "app", objects: [table], privileges: ["SELECT"] }]),
      }),
  },
  {
    what: "base role",
    build: (s, name) => void database(s).addBaseRole("b", { name, access: Access.owner() }),
  },
  {
    what: "id of a base role",
    standsAs: (id) => `orders_${id}`,
    build: (s, id) => void database(s).addBaseRole(id, { access: Access.readOnly() }),
  },
  {
    what: "base role, imported",
    standsAs: (name) => backslashed(name),
    build: (s, name) =>
      void postgres(s).addDynamicRole("r", { baseRole: BaseRole.fromName(s, "Base", name) }),
  },
  {
    what: "id of a login",
    standsAs: (id) => `orders_${id}`,
    build: (s, id) => {
      const orders = database(s);
      orders.addLogin(id, { baseRole: orders.addBaseRole("b", { access: Access.readOnly() }) });
    },
  },
  {
    what: "login, imported",
    build: (s, name) => void postgres(s).addStaticRole("r", { login: Login.fromName(s, "Login", name) }),
  },
  { what: "manager", build: (s, name) => void new ManagerRole(s, "M", { name, password: secret(s) }) },
  {
    what: "variable",
    build: (s, name) =>
      void new ManagerRole(s, "M", { name: "m", password: WriteOnlySecret.fromVariable(s, name) }),
  },
  {
    what: "description of a variable",
    build: (s, description) => void WriteOnlySecret.fromVariable(s, "v", { description }),
    standsAs: String,
  },

  { what: "engine path", build: (s, path) => void engine(s, path) },
  {
    what: "engine description",
    build: (s, description) => void new DatabaseSecretsEngine(s, "E", { description }),
  },
  { what: "namespace", build: (s, namespace) => void new DatabaseSecretsEngine(s, "E", { namespace }) },
  {
    what: "namespace of a policy",
    build: (s, namespace) =>
      void new Policy(s, "P", { name: "p", namespace, rules: [{ path: "a", capabilities: ["read"] }] }),
  },
  { what: "auth path", build: (s, path) => void new AppRoleAuth(s, "A", { path }) },
  { what: "AppRole", build: (s, name) => void new AppRoleAuth(s, "A").addRole(name) },
  {
    what: "bound network",
    build: (s, cidr) => void new AppRoleAuth(s, "A").addRole("a", { tokenBoundCidrs: [cidr] }),
  },
  {
    what: "connection",
    build: (s, name) =>
      void engine(s).addPostgresConnection(name, {
        database: PostgresDatabase.fromName(s, "D", "d"),
        endpoint: { host: "db" },
        manager: new ManagerRole(s, "M", { name: "m", password: secret(s) }),
      }),
  },
  { what: "role", build: (s, name) => void role(s, {}, name) },
  { what: "allowed role", build: (s, allowed) => void postgres(s, { additionalAllowedRoles: [allowed] }) },
  {
    what: "path of a read policy",
    standsAs: (path) => `path "${path}/creds/r" {`,
    build: (s, path) => {
      const imported = DatabaseSecretsEngine.fromPath(s, "I", path);
      DynamicRole.fromName(s, "R", { engine: imported, name: "r" }).grantRead(
        new AppRoleAuth(s, "A").addRole("a"),
      );
    },
  },
  {
    what: "policy",
    build: (s, name) => void new Policy(s, "P", { name, rules: [{ path: "a", capabilities: ["read"] }] }),
  },
  {
    what: "path of a policy",
    standsAs: (path) => `path "${path}" {`,
    build: (s, path) => void new Policy(s, "P", { name: "p", rules: [{ path, capabilities: ["read"] }] }),
  },
  {
    what: "capability",
    build: (s, capability) =>
      void new Policy(s, "P", { name: "p", rules: [{ path: "a", capabilities: [capability as "read"] }] }),
  },
  { what: "key-value engine", build: (s, path) => void new KeyValueEngine(s, "K", { path }) },
  {
    what: "key-value path",
    build: (s, path) =>
      void new KeyValueEngine(s, "K").addSecret(path, { content: KeyValueContent.visible({ a: 1 }) }),
  },
  {
    what: "key of a content",
    build: (s, key) =>
      void new KeyValueEngine(s, "K").addSecret("p", { content: KeyValueContent.visible({ [key]: 1 }) }),
  },
  {
    what: "value of a content",
    standsAs: (value) => JSON.stringify({ a: value }),
    build: (s, a) =>
      void new KeyValueEngine(s, "K").addSecret("p", { content: KeyValueContent.visible({ a }) }),
  },
  {
    what: "quota",
    build: (s, name) =>
      void new RateLimitQuota(s, "Q", { name, rate: 1, target: RateLimitTarget.secretsEngine(engine(s)) }),
  },
  {
    what: "path of a quota",
    standsAs: (path) => `database/${path}`,
    build: (s, path) =>
      void new RateLimitQuota(s, "Q", {
        name: "q",
        rate: 1,
        target: RateLimitTarget.secretsEngine(engine(s), path),
      }),
  },
  {
    what: "audit device",
    build: (s, name) => void new AuditDevice(s, "A", { name, filePath: "/a", declaredIn: "api" }),
  },
  {
    what: "audit file",
    build: (s, filePath) =>
      void new AuditDevice(s, "A", {
        name: "a",
        filePath,
        declaredIn: "server-configuration",
        outputName: "o",
      }),
  },

  { what: "host", build: (s, host) => void postgres(s, { endpoint: { host } }) },
  {
    what: "CA path",
    standsAs: (file) => `sslrootcert=${encodeURIComponent(file)}`,
    build: (s, sslRootCert) => void postgres(s, { endpoint: { host: "db", sslRootCert } }),
  },
  {
    what: "sslmode",
    build: (s, mode) => void postgres(s, { endpoint: { host: "db", sslMode: mode as "require" } }),
  },
  {
    what: "host of a URL",
    build: (s, host) =>
      void postgres(s, { connectionUrl: `postgresql://{{username}}:{{password}}@${host}/existing` }),
  },
  {
    what: "end of a URL",
    build: (s, end) =>
      void postgres(s, { connectionUrl: `postgresql://{{username}}:{{password}}@db/existing?x=${end}` }),
  },
  {
    what: "username template",
    build: (s, text) => void postgres(s, { usernameTemplate: `${text}{{random 20}}` }),
  },
  { what: "creation SQL", build: (s, text) => void role(s, { creationStatements: [CREATION, text] }) },
  {
    what: "renewal SQL",
    build: (s, text) =>
      void role(s, { renewStatements: [`ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}'`, text] }),
  },
  {
    what: "revocation SQL",
    build: (s, text) => void role(s, { revocationStatements: [`DROP ROLE "{{name}}"`, text] }),
  },
  {
    what: "rotation SQL",
    build: (s, text) =>
      void postgres(s).addStaticRole("r", {
        username: "u",
        rotationStatements: [`{{name}}{{password}}`, text],
      }),
  },
  {
    what: "root rotation SQL",
    build: (s, text) => void postgres(s, { rootRotationStatements: [`{{name}}{{password}}`, text] }),
  },

  { what: "MySQL host", build: (s, host) => void mysql(s, { endpoint: { host } }) },
  {
    what: "MySQL TLS mode",
    standsAs: () => "tls=",
    build: (s, tls) => void mysql(s, { endpoint: { host: "db", tls: tls as "require" } }),
  },
  {
    what: "end of a MySQL URL",
    build: (s, end) => void mysql(s, { connectionUrl: `{{username}}:{{password}}@tcp(db)/${end}` }),
  },
  { what: "MySQL login", build: (s, username) => void mysql(s, { username }) },
  {
    what: "MySQL user's host",
    build: (s, host) => void mysqlRole(s, { host, access: MysqlAccess.readOnly({ databases: ["d"] }) }),
  },
  {
    what: "MySQL database",
    standsAs: (name) => `\`${inBackticks(name.replaceAll(/[_%]/g, "\\$&"))}\`.*`,
    build: (s, name) => void mysqlRole(s, { access: MysqlAccess.readOnly({ databases: [name] }) }),
  },
  {
    what: "MySQL table",
    standsAs: inBackticks,
    build: (s, table) =>
      void mysqlRole(s, { access: MysqlAccess.custom([{ database: "d", table, privileges: ["SELECT"] }]) }),
  },
  {
    what: "MySQL creation SQL",
    build: (s, text) =>
      void mysqlRole(s, {
        creationStatements: ["CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'", text],
      }),
  },
  {
    what: "MySQL root rotation SQL",
    build: (s, text) => void mysql(s, { rootRotationStatements: ["{{name}}{{password}}", text] }),
  },
];

/** Whose text is JSON, in which the value is found again. */
export const AGENT_PLACES: readonly Place<string>[] = [
  { what: "address", build: (s, v) => void agent(s, { address: v }) },
  {
    what: "address after the host",
    build: (s, v) => void agent(s, { address: `https://vault${v}` }),
    standsAs: (v) => `https://vault${v}`,
  },
  {
    what: "CA certificate",
    build: (s, v) => void agent(s, { caCertFile: `/${v}` }),
    standsAs: (v) => `/${v}`,
  },
  { what: "namespace", build: (s, v) => void agent(s, { namespace: v }) },
  { what: "RoleID file", build: (s, v) => void agent(s, { roleIdFile: `/${v}` }), standsAs: (v) => `/${v}` },
  { what: "auth path", build: (s, v) => void agent(s, {}, v), standsAs: (v) => `auth/${v}` },
  {
    what: "file",
    build: (s, v) => void agent(s, { files: [file({ path: `/run/${v}` })] }),
    standsAs: (v) => `/run/${v}`,
  },
  { what: "permissions", build: (s, v) => void agent(s, { files: [file({ permissions: v })] }) },
  {
    what: "creds path",
    build: (s, v) => void agent(s, { files: [file({ source: { credsPath: v } })] }),
    standsAs: (v) => `{{ with secret "${v}" }}`,
  },
  {
    what: "value in JSON",
    build: (s, v) =>
      void agent(s, { files: [file({ template: CredentialsTemplate.json({ values: { v } }) })] }),
    standsAs: (v) => `"v": ${JSON.stringify(v)}`,
  },
  {
    what: "value in env",
    build: (s, v) =>
      void agent(s, { files: [file({ template: CredentialsTemplate.env({ values: { v } }) })] }),
    standsAs: (v) => `v='${v.replaceAll("'", `'\\''`)}'`,
  },
  {
    what: "field",
    build: (s, v) =>
      void agent(s, { files: [file({ template: CredentialsTemplate.json({ passwordField: v }) })] }),
  },
  {
    what: "own template",
    build: (s, v) =>
      void agent(s, { files: [file({ template: CredentialsTemplate.text(`{{ .Data.username }}${v}`) })] }),
  },
  {
    what: "argument on a change",
    build: (s, v) => void agent(s, { files: [file({ onChange: OnChange.command(["/bin/x", v]) })] }),
  },
  {
    what: "process id file",
    build: (s, v) => void agent(s, { files: [file({ onChange: OnChange.signal("SIGHUP", `/${v}`) })] }),
    standsAs: (v) => `/${v}`,
  },
  {
    what: "signal",
    build: (s, v) => void template(s, { exec: { command: ["/bin/x"], killSignal: v as "SIGHUP" } }),
  },
  {
    what: "program",
    build: (s, v) => void template(s, { exec: { command: [`/${v}`] } }),
    standsAs: (v) => `/${v}`,
  },
  { what: "argument", build: (s, v) => void template(s, { exec: { command: ["/bin/x", v] } }) },
  { what: "token file", build: (s, v) => void template(s, { tokenFile: `/${v}` }), standsAs: (v) => `/${v}` },
];

/** Settings of a unit, as systemd writes them. */
export const UNIT_PLACES: readonly Place<string>[] = [
  {
    what: "description",
    build: (s, v) => void unit(s, { description: v }),
    standsAs: (v) => `Description=${v.replaceAll("%", "%%")}\n`,
  },
  { what: "program", build: (s, v) => void unit(s, { command: [`/${v}`] }), standsAs: (v) => word(`/${v}`) },
  {
    what: "argument",
    build: (s, v) => void unit(s, { command: ["/x", v] }),
    standsAs: (v) => word(v).replaceAll("$", () => "$$"),
  },
  { what: "user", build: (s, v) => void unit(s, { user: v }), standsAs: (v) => `User=${v}\n` },
  { what: "group", build: (s, v) => void unit(s, { group: v }), standsAs: (v) => `Group=${v}\n` },
  {
    what: "directory",
    build: (s, v) => void unit(s, { runtimeDirectory: v }),
    standsAs: (v) => `RuntimeDirectory=${v}\n`,
  },
  {
    what: "mode",
    build: (s, v) => void unit(s, { runtimeDirectoryMode: v }),
    standsAs: (v) => `Mode=${v}\n`,
  },
  {
    what: "path",
    build: (s, v) => void unit(s, { readWritePaths: [`/${v}`] }),
    standsAs: (v) => word(`/${v}`),
  },
  { what: "unit before", build: (s, v) => void unit(s, { before: [v] }), standsAs: (v) => `Before=${v}\n` },
];

/** Names of outputs, which are keys. */
export const OUTPUT_PLACES: readonly Place<string>[] = [
  { what: "of an agent", build: (s, v) => void agent(s, { outputName: v }) },
  { what: "of a unit", build: (s, v) => void unit(s, { outputName: v }) },
];

export const NUMBER_PLACES: readonly Place<number>[] = [
  {
    what: "port",
    build: (s, port) => void postgres(s, { endpoint: { host: "db", port } }),
    standsAs: (port) => `:${port}/`,
  },
  {
    what: "MySQL port",
    build: (s, port) => void mysql(s, { endpoint: { host: "db", port } }),
    standsAs: (port) => `:${port})`,
  },
  {
    what: "TTL",
    build: (s, n) => void role(s, { defaultTtl: Duration.seconds(n), maxTtl: Duration.seconds(n) }),
  },
  {
    what: "drain timeout",
    standsAs: (n) => `idle_session_timeout = ${n * 1000};`,
    build: (s, n) =>
      void role(s, { revocation: Revocation.drain({ idleSessionTimeout: Duration.seconds(n) }) }),
  },
  {
    what: "rotation period",
    build: (s, n) =>
      void postgres(s).addStaticRole("r", { username: "u", rotationPeriod: Duration.seconds(n) }),
  },
  {
    what: "uses of a token",
    build: (s, n) => void new AppRoleAuth(s, "A").addRole("a", { tokenNumUses: n }),
  },
  {
    what: "version of a secret",
    build: (s, version) =>
      void new ManagerRole(s, "M", {
        name: "m",
        password: WriteOnlySecret.fromVariable(s, "v", { version }),
      }),
  },
  {
    what: "limit of a database",
    build: (s, n) => void new PostgresDatabase(s, "D", { name: "d", connectionLimit: n }),
  },
  { what: "open connections", build: (s, n) => void postgres(s, { maxOpenConnections: n }) },
  {
    what: "rate",
    build: (s, rate) =>
      void new RateLimitQuota(s, "Q", { name: "q", rate, target: RateLimitTarget.secretsEngine(engine(s)) }),
  },
  {
    what: "value of a content",
    build: (s, a) =>
      void new KeyValueEngine(s, "K").addSecret("p", { content: KeyValueContent.visible({ a }) }),
    standsAs: (a) => `"a":${a}`,
  },
  {
    what: "value in a template",
    build: (s, v) =>
      void agent(s, { files: [file({ template: CredentialsTemplate.json({ values: { v } }) })] }),
    standsAs: (v) => `"v": ${v}`,
  },
];

type AgentProps = Partial<ConstructorParameters<typeof VaultAgentConfiguration>[2]>;
type TemplateProps = Partial<ConstructorParameters<typeof ConsulTemplateConfiguration>[2]>;
type UnitProps = Partial<ConstructorParameters<typeof SystemdUnit>[2]>;
type File = NonNullable<AgentProps["files"]>[number];

const file = (props: Partial<File>): File => ({
  source: { credsPath: "database/creds/r" },
  path: "/run/x/db",
  ...props,
});

function agent(stack: TerraformStack, props: AgentProps, path = "approle") {
  return new VaultAgentConfiguration(stack, "Agent", {
    address: "https://vault:8200",
    appRole: AppRoleAuth.fromPath(stack, "Auth", path).addRole("a"),
    roleIdFile: "/etc/x/role-id",
    secretIdFile: "/etc/x/secret-id",
    files: [file({})],
    outputName: "text",
    ...props,
  });
}

function template(stack: TerraformStack, props: TemplateProps) {
  return new ConsulTemplateConfiguration(stack, "Template", {
    address: "https://vault:8200",
    tokenFile: "/run/x/token",
    files: [file({})],
    outputName: "text",
    ...props,
  });
}

function unit(stack: TerraformStack, props: UnitProps) {
  return new SystemdUnit(stack, "Unit", {
    description: "Agent",
    command: ["/usr/bin/vault"],
    user: "x",
    runtimeDirectory: "x",
    outputName: "text",
    ...props,
  });
}

function word(text: string): string {
  const doubled = text.replaceAll("%", "%%");
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return doubled;
  return `"${doubled.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
