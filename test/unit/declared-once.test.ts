import { App, Testing, TerraformStack, TerraformVariable } from "cdktf";
import { VaultProvider, type VaultProviderConfig } from "@cdktf/provider-vault/lib/provider";
import {
  AppRoleAuth,
  AuditDevice,
  DatabaseSecretsEngine,
  DynamicRole,
  KeyValueContent,
  KeyValueEngine,
  ManagerRole,
  MysqlConnection,
  Policy,
  PostgresConnection,
  PostgresDatabase,
  RateLimitQuota,
  RateLimitTarget,
  WriteOnlySecret,
  type AuditDeviceProps,
  type RateLimitQuotaProps,
} from "../../lib";

const ADDRESS = "https://vault.example.com:8200";
const SHOP = { path: "shop/database" };

/** Synthesizes an app of two stacks that are filled alike. */
function two(
  fill: (stack: TerraformStack) => void,
  configurations: readonly (VaultProviderConfig | ((stack: TerraformStack) => VaultProviderConfig))[] = [
    { address: ADDRESS },
    { address: `${ADDRESS}/` },
  ],
): void {
  const app = Testing.stubVersion(new App({ stackTraces: false }));
  const stacks = configurations.map((configuration, index) => {
    const stack = new TerraformStack(app, ["one", "two"][index]!);
    const made = typeof configuration === "function" ? configuration(stack) : configuration;
    new VaultProvider(stack, "VaultProvider", made);
    fill(stack);
    return stack;
  });
  for (const stack of stacks) Testing.synth(stack, true);
}

const policy = (stack: TerraformStack) =>
  void new Policy(stack, "Policy", { name: "shop", rules: [{ path: "shop/a", capabilities: ["read"] }] });

function role(stack: TerraformStack) {
  const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", SHOP);
  const manager = ManagerRole.fromName(stack, "Manager", "shop_manager");
  PostgresConnection.fromName(stack, "Connection", { engine, name: "shop", manager }).addDynamicRole(
    "reader",
    {
      creationStatements: [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`],
    },
  );
  PostgresDatabase.fromName(stack, "Database", "shop");
}

/** The engine of all, by a reference of its own. */
const engineOf = (stack: TerraformStack, id = "Secrets", path = "shop/database") =>
  DatabaseSecretsEngine.fromPath(stack, id, path);
const password = (stack: TerraformStack) =>
  WriteOnlySecret.fromVariable(stack, `pw${stack.node.children.length}`);
const endpoint = { host: "db.example.com" };

function postgres(stack: TerraformStack, id = "Secrets", name = "main"): void {
  engineOf(stack, id).addPostgresConnection(name, {
    ...{
      endpoint,
      password: password(stack),
      database: PostgresDatabase.fromName(stack, `${id}D`, stack.node.id),
    },
    manager: ManagerRole.fromName(stack, `${id}M`, `${stack.node.id}_manager`),
  });
}

const mysql = (stack: TerraformStack, id = "Secrets", name = "main") =>
  void engineOf(stack, id).addMysqlConnection(name, {
    ...{ server: "mariadb", endpoint, username: "vault", password: password(stack) },
  });
const secret = (stack: TerraformStack, id = "Values", path = "web/key") =>
  void KeyValueEngine.fromPath(stack, id, "shop/kv").addSecret(path, {
    content: KeyValueContent.visible({ from: stack.node.id }),
  });
const quota = (stack: TerraformStack, id: string, props: Partial<RateLimitQuotaProps>) =>
  void new RateLimitQuota(stack, id, {
    ...{ name: `${stack.node.id}-${id}`, rate: 1 },
    target: RateLimitTarget.secretsEngine(engineOf(stack, `${id}E`), `creds/${stack.node.id}-${id}`),
    ...props,
  });
const audit = (stack: TerraformStack, id = "Audit", declaredIn: AuditDeviceProps["declaredIn"] = "api") =>
  void new AuditDevice(stack, id, { name: "file", filePath: "/var/log/a", declaredIn, outputName: id });
const approle = (stack: TerraformStack, id = "AppRoles") =>
  void AppRoleAuth.fromPath(stack, id, "shop/approle").addRole("web");

describe("what two stacks of an app declare on one server", () => {
  test.each<[string, (stack: TerraformStack) => void, RegExp]>([
    [
      "a policy",
      policy,
      /The stacks "one" and "two" both declare the policy "shop", at "one\/Policy" and at "two\/Policy"\. .*declare it in one/,
    ],
    ["a role", role, /both declare the role "shop\/database\/reader"/],
    ["an AppRole", (stack) => approle(stack), /both declare the AppRole "shop\/approle\/web"/],
    [
      "a connection",
      (stack) => postgres(stack),
      /both declare the connection "shop\/database\/main", at "one\/Secrets\/main"/,
    ],
    ["a connection to MySQL", (stack) => mysql(stack), /both declare the connection "shop\/database\/main"/],
    [
      "a connection to servers of two kinds",
      (stack) => (stack.node.id === "one" ? mysql(stack) : postgres(stack)),
      /both declare the connection "shop\/database\/main"/,
    ],
    ["a secret", (stack) => secret(stack), /both declare the secret "shop\/kv\/data\/web\/key"/],
    [
      "a secrets engine",
      (stack) => void new DatabaseSecretsEngine(stack, "Secrets", { path: "shop" }),
      /both declare the secrets engine "shop"/,
    ],
    [
      "secrets engines of two types",
      (stack) =>
        void (stack.node.id === "one"
          ? new DatabaseSecretsEngine(stack, "Secrets", { path: "shop" })
          : new KeyValueEngine(stack, "Values", { path: "shop" })),
      /both declare the secrets engine "shop", at "one\/Secrets" and at "two\/Values"/,
    ],
    [
      "an auth method",
      (stack) => void new AppRoleAuth(stack, "AppRoles", { path: "shop" }),
      /both declare the auth method "shop"/,
    ],
    ["a quota's name", (stack) => quota(stack, "Q", { name: "q" }), /both declare the quota "q"/],
    [
      "what a quota is on",
      (stack) => quota(stack, "Q", { target: RateLimitTarget.secretsEngine(engineOf(stack)) }),
      /both declare the quota on "shop\/database\/"/,
    ],
    ["an audit device", (stack) => audit(stack), /both declare the audit device "file"/],
  ])("is refused: %s", (_, fill, message) => {
    expect(() => two(fill)).toThrow(message);
  });

  test.each<[string, string, string]>([
    ["secrets engine", "shop", "shop/kv"],
    ["secrets engine", "shop/kv/deep", "shop"],
    ["auth method", "shop", "shop/kv"],
  ])("is refused: a %s at %s and another at %s", (kind, first, second) => {
    const mounts = (stack: TerraformStack) => {
      const path = stack.node.id === "one" ? first : second;
      if (kind === "auth method") return void new AppRoleAuth(stack, "Mount", { path });
      return void new KeyValueEngine(stack, "Mount", { path });
    };
    expect(() => two(mounts)).toThrow(
      `The ${kind} "${first}" at "one/Mount" and the ${kind} "${second}" at "two/Mount" would be one inside the other`,
    );
  });

  test("is not refused: mounts whose paths begin alike, and an auth method in a secrets engine", () => {
    const mounts = (stack: TerraformStack) => {
      new KeyValueEngine(stack, "Values", { path: stack.node.id === "one" ? "shop" : "shop-kv" });
      if (stack.node.id === "two") new AppRoleAuth(stack, "AppRoles", { path: "shop/approle" });
    };
    expect(() => two(mounts)).not.toThrow();
  });

  test("is one server's however its address is written", () => {
    const other = { address: "HTTPS://vault.example.com:443/" };
    expect(() => two(policy, [{ address: "https://vault.example.com" }, other])).toThrow(/both declare/);
    const inside = (stack: TerraformStack) =>
      void new DatabaseSecretsEngine(stack, "Secrets", {
        path: "shop",
        namespace: stack.node.id === "one" ? undefined : "/sub/",
      });
    const both = [
      { address: ADDRESS, namespace: "team/sub" },
      { address: ADDRESS, namespace: "team" },
    ];
    expect(() => two(inside, both)).toThrow(/both declare the secrets engine "shop"/);
  });

  test("is not refused where names differ in case and the server tells them apart", () => {
    const alike = (stack: TerraformStack) => {
      const inCase = (name: string) => (stack.node.id === "one" ? name : name.toUpperCase());
      new DatabaseSecretsEngine(stack, "Mount", { path: inCase("mount") });
      postgres(stack, "Secrets", inCase("main"));
      secret(stack, "Values", inCase("key"));
      quota(stack, "Q", { name: inCase("q") });
    };
    expect(() => two(alike)).not.toThrow();
  });

  test("is not refused where it is not the same", () => {
    two((stack) => {
      const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", SHOP);
      const approle = AppRoleAuth.fromPath(stack, "AppRoles", "shop/approle").addRole(stack.node.id);
      DynamicRole.fromName(stack, "Reader", { engine, name: "reader" }).grantRead(approle);
    });
    two(policy, [{ address: ADDRESS }, { address: "https://vault.other.example.com:8200" }]);
    two(policy, [
      { address: ADDRESS, namespace: "a" },
      { address: ADDRESS, namespace: "b" },
    ]);
  });

  test("is not refused on servers that only Terraform knows", () => {
    const later = (stack: TerraformStack) => ({
      address: new TerraformVariable(stack, "address", {}).stringValue,
    });
    two(policy, [later, later]);
    two(policy, [{}, {}] as VaultProviderConfig[]);
  });
});

describe("what one stack declares by two references to one engine or auth method", () => {
  const twice = (
    declare: (stack: TerraformStack, id: string) => void,
    provider: VaultProviderConfig = {},
  ) => {
    const stack = new TerraformStack(Testing.stubVersion(new App({ stackTraces: false })), "one");
    new VaultProvider(stack, "VaultProvider", provider);
    ["A", "B"].forEach((id) => declare(stack, id));
    return Testing.synth(stack, true);
  };
  const creationStatements = [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`];

  test.each<[string, (stack: TerraformStack, id: string) => void, RegExp]>([
    [
      "a role",
      (stack, id) =>
        void PostgresConnection.fromName(stack, `${id}C`, {
          engine: engineOf(stack, id),
          name: id,
        }).addDynamicRole("reader", { creationStatements }),
      /The stack "one" declares the role "shop\/database\/reader" twice, at "one\/AC\/reader" and at "one\/BC\/reader"\. /,
    ],
    [
      "a role of MySQL and a static one",
      (stack, id) => {
        const engine = engineOf(stack, id);
        if (id === "A") {
          const connection = PostgresConnection.fromName(stack, `${id}C`, { engine, name: "a" });
          return void connection.addStaticRole("reader", { username: "web" });
        }
        const statements = [`CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'`];
        MysqlConnection.fromName(stack, `${id}C`, { engine, name: "b", server: "mysql" }).addDynamicRole(
          "reader",
          {
            creationStatements: statements,
          },
        );
      },
      /declares the role "shop\/database\/reader" twice/,
    ],
    [
      "an AppRole",
      approle,
      /declares the AppRole "shop\/approle\/web" twice, at "one\/A\/web" and at "one\/B\/web"/,
    ],
    ["a connection", postgres, /declares the connection "shop\/database\/main" twice/],
    ["a connection to MySQL", mysql, /declares the connection "shop\/database\/main" twice/],
    ["a secret", secret, /declares the secret "shop\/kv\/data\/web\/key" twice/],
    [
      "a secrets engine",
      (stack, id) => void new DatabaseSecretsEngine(stack, id, { path: "shop" }),
      /declares the secrets engine "shop" twice/,
    ],
    ["a quota", (stack, id) => quota(stack, id, { name: "q" }), /declares the quota "q" twice/],
    ["an audit device", audit, /declares the audit device "file" twice/],
  ])("is refused: %s", (_, declare, message) => {
    for (const provider of [{}, { address: ADDRESS }]) {
      expect(() => twice(declare, provider)).toThrow(message);
      try {
        twice(declare, provider);
      } catch (error) {
        expect(String(error).match(/ twice, /g)).toHaveLength(1);
      }
    }
  });

  test("is refused where only Terraform knows the path of both", () => {
    const both = (stack: TerraformStack) => {
      const path = new TerraformVariable(stack, "path", {}).stringValue;
      for (const id of ["A", "B"]) AppRoleAuth.fromPath(stack, id, path).addRole("web");
    };
    expect(() => twice((stack, id) => id === "A" && both(stack))).toThrow(/declares the AppRole .* twice/);
  });

  test("is not refused: a policy of the same text, a device of the server's configuration, another provider", () => {
    expect(() =>
      twice((stack, id) => {
        new Policy(stack, id, { name: "shop", rules: [{ path: "shop/a", capabilities: ["read"] }] });
        audit(stack, `${id}Audit`, "server-configuration");
        const provider = new VaultProvider(stack, `${id}P`, { alias: id });
        AppRoleAuth.fromPath(stack, `${id}Auth`, { path: "shop/approle", provider }).addRole("web");
      }),
    ).not.toThrow();
  });

  test("is refused: a policy of another text, by another provider of the server", () => {
    const other = (stack: TerraformStack, id: string) => {
      const provider = new VaultProvider(stack, `${id}P`, { alias: id, address: ADDRESS });
      const rules = [{ path: `shop/${id}`, capabilities: ["read" as const] }];
      new Policy(stack, id, { name: "shop", rules, provider });
    };
    expect(() => twice(other)).toThrow(/declares the policy "shop" twice/);
  });
});
