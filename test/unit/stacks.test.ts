import { GrantRole } from "@cdktf/provider-postgresql/lib/grant-role";
import { App, Testing, Token } from "cdktf";
import { ReportingStack } from "../../examples/composition/reporting-stack";
import { Access, AppRole, BaseRole, Duration, DynamicRole, PostgresConnection, rotation } from "../../lib";
import { CredentialsStack } from "../../stacks/credentials-stack";
import type { Environment } from "../../stacks/environment";
import { environments } from "../../stacks/environments";
import { local } from "../../stacks/environments/local";
import type { AppRoleOutput } from "../../stacks/outputs";
import { statementsDigest } from "../../stacks/statements-digest";
import { all, one, synthesizeStack, type Synthesized } from "./synthesis";

const minimal: Environment = {
  name: "test",
  application: "shop",
  vault: { address: "https://vault.example.com" },
  postgres: { host: "db.example.com" },
  roles: { reader: { access: Access.readOnly({ schemas: ["app"] }) } },
  applications: { web: { roles: ["reader"] } },
};

const readerOf = (...schemas: string[]) => ({ access: Access.readOnly({ schemas }) });

function synthesize(environment: Environment, change?: (stack: CredentialsStack) => void): Synthesized {
  const stack = new CredentialsStack(Testing.stubVersion(new App({ stackTraces: false })), environment);
  change?.(stack);
  return synthesizeStack(stack);
}

describe("the worked environments", () => {
  test.each(environments({}).map((environment) => [environment.name, environment] as const))(
    "%s declares this plan",
    (_, environment) => {
      const stack = synthesize(environment);
      expect(summary(stack)).toMatchSnapshot();
    },
  );

  test("hold the password nowhere but in a variable that Terraform asks for", () => {
    for (const environment of environments({ PGPASSWORD: "hunter2", VAULT_TOKEN: "s.hunter2" })) {
      expect(synthesize(environment).json).not.toMatch(/hunter2|"password":|"token":/);
    }
  });

  test("do not share a name with one another on one PostgreSQL and one Vault", () => {
    const names = environments({}).flatMap((environment) => {
      const stack = synthesize(environment);
      return [
        ...all(stack, "postgresql_role").map((r) => `role ${String(r.name)}`),
        ...all(stack, "postgresql_database").map((r) => `database ${String(r.name)}`),
        ...all(stack, "vault_mount").map((r) => `mount ${String(r.path)}`),
        ...all(stack, "vault_auth_backend").map((r) => `auth ${String(r.path)}`),
        ...all(stack, "vault_policy").map((r) => `policy ${String(r.name)}`),
      ];
    });
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("role orders_dev_manager");
  });

  test("protect the database except where it may be destroyed", () => {
    const isProtected = environments({}).map((environment) => [
      environment.name,
      (one(synthesize(environment), "postgresql_database").lifecycle as { prevent_destroy?: boolean })
        .prevent_destroy === true,
    ]);
    expect(Object.fromEntries(isProtected)).toEqual({
      local: false,
      dev: false,
      staging: true,
      production: true,
    });
  });
});

test("the provider's own token lives as long as a deployment may take", () => {
  const [, dev] = environments({});
  if (dev === undefined) throw new Error("no dev");
  const vault = { ...dev.vault, deploymentTokenTtl: Duration.hours(1) };
  expect(synthesize({ ...dev, vault }).json).toMatch(/"max_lease_ttl_seconds": 3600/);
  expect(synthesize(dev).json).not.toContain("max_lease_ttl_seconds");
});

describe("local", () => {
  test("follows the variables that the servers' clients read", () => {
    const environment = local({
      VAULT_ADDR: "http://localhost:9999",
      PGHOST: "::1",
      PGPORT: "6000",
      PGUSER: "me",
    });
    expect(environment).toMatchObject({
      vault: { address: "http://localhost:9999" },
      postgres: { host: "::1", port: 6000, username: "me" },
    });
  });

  test("stays on this machine when they name another", () => {
    const environment = local({
      VAULT_ADDR: "https://vault.example.com",
      PGHOST: "db.example.com",
      PGPORT: "6000",
    });
    expect(environment).toMatchObject({
      vault: { address: "http://127.0.0.1:8200" },
      postgres: { host: "127.0.0.1", port: 5432 },
    });
  });
});

describe("CredentialsStack", () => {
  test("names what it makes in outputs that hold no secret", () => {
    const { output } = synthesize(minimal);
    expect(Object.keys(output).sort()).toEqual([
      ...["approles", "environment", "policies", "postgres", "roles", "vault"],
    ]);
    expect(output.environment?.value).toBe("test");
    expect(output.vault?.value).toEqual({
      address: "https://vault.example.com",
      mount: "shop-test/database",
      connection: "shop_test",
      connection_url:
        "postgresql://{{username}}:{{password}}@db.example.com:5432/shop_test?sslmode=verify-full&connect_timeout=5",
      connection_settings: {
        ...{ password_authentication: "scram-sha-256", disable_escaping: false },
        username_template: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
        root_rotation: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      },
      approle_mount: "shop-test/approle",
    });
    expect(output.approles?.value).toMatchObject({
      "shop-test-web": {
        roles: ["reader"],
        settings: {
          ...{ bind_secret_id: true, secret_id_ttl: 2_592_000, secret_id_num_uses: 0 },
          ...{ secret_id_bound_cidrs: [], token_ttl: 3_600, token_max_ttl: 86_400, token_period: 0 },
          ...{ token_explicit_max_ttl: 0, token_num_uses: 0, token_bound_cidrs: [], token_type: "service" },
          ...{ token_no_default_policy: false, token_policies: ["shop-test/database/creds/reader"] },
        },
      },
    });
    const policy = 'path "shop-test/database/creds/reader" {\n  capabilities = ["read"]\n}\n';
    expect(output.policies?.value).toEqual({
      "shop-test/database/creds/reader": statementsDigest([policy]),
    });
  });

  test("says in outputs what is overridden, and leaves out what Terraform is to ignore", () => {
    const { output } = synthesize(minimal, (stack) => {
      const found = stack.node.findAll();
      const approle = found.find((construct) => construct instanceof AppRole)!;
      approle.resource.addOverride("token_ttl", 60);
      approle.resource.lifecycle = { ignoreChanges: ["token_policies"] };
      const connection = found.find((construct) => construct instanceof PostgresConnection)!;
      connection.resource.addOverride("postgresql.connection_url", "postgresql://elsewhere/x");
      connection.resource.addOverride("postgresql.disable_escaping", true);
      connection.resource.lifecycle = { ignoreChanges: ["root_rotation_statements"] };
      const role = found.find((construct) => construct instanceof DynamicRole)!;
      role.resource.addOverride("credential_config", { password_policy: "long" });
    });
    expect(output.roles?.value).toMatchObject({
      reader: { credential: { credential_config: { password_policy: "long" } } },
    });
    expect(synthesize(minimal).output.roles?.value).not.toHaveProperty("reader.credential");
    const { settings } = (output.approles?.value as Record<string, AppRoleOutput>)["shop-test-web"]!;
    expect(settings).toMatchObject({ token_ttl: 60 });
    expect(settings).not.toHaveProperty("token_policies");
    expect(output.vault?.value).toMatchObject({
      connection_url: "postgresql://elsewhere/x",
      connection_settings: { disable_escaping: true },
    });
    expect(output.vault?.value).not.toHaveProperty("connection_settings.root_rotation");
  });

  test("says in outputs which roles a base role is made a member of, by grants and overrides", () => {
    const { output } = synthesize(minimal, (stack) => {
      const base = stack.node.findAll().find((construct) => construct instanceof BaseRole)!;
      base.resource.addOverride("roles", ["pg_stat_scan_tables"]);
      new GrantRole(stack, "monitoring", { role: base.name, grantRole: "pg_monitor" });
      new GrantRole(stack, "of-another", { role: "somebody", grantRole: "pg_read_all_data" });
    });
    expect(output.roles?.value).toMatchObject({
      reader: { base_role_member_of: ["pg_monitor", "pg_stat_scan_tables"] },
    });
    const { reader } = synthesize(minimal).output.roles?.value as Record<string, object>;
    expect(reader).not.toHaveProperty("base_role_member_of");
  });

  test("can show Vault another way to PostgreSQL than Terraform's", () => {
    const stack = synthesize({
      ...minimal,
      postgres: { host: "localhost", seenFromVault: { host: "db.internal", port: 6432, sslMode: "require" } },
    });
    expect(one(stack, "vault_database_secret_backend_connection").postgresql).toMatchObject({
      connection_url:
        "postgresql://{{username}}:{{password}}@db.internal:6432/shop_test?sslmode=require&connect_timeout=5",
    });
  });

  describe("with static roles", () => {
    const { output, resource } = synthesize({
      ...minimal,
      staticRoles: {
        legacy: { role: "reader", rotationPeriod: Duration.hours(12) },
        old: { username: "old_app" },
      },
      applications: { web: { roles: ["reader", "legacy", "old"] } },
    });

    test("makes a login that joins the role's base role, or takes one that exists", () => {
      const made = Object.values(resource.vault_database_secret_backend_static_role ?? {});
      expect(made).toMatchObject([
        {
          name: "legacy",
          username: expect.stringMatching(/^shop_test_legacy\$\{substr\(/) as string,
          rotation_period: 43_200,
          db_name: "shop_test",
        },
        { name: "old", username: "old_app", rotation_period: 86_400 },
      ]);
      expect(Object.values(resource.postgresql_role ?? {})).toContainEqual(
        expect.objectContaining({ name: "shop_test_legacy", login: true, roles: ["shop_test_reader"] }),
      );
    });

    test("lets an application read them by exact path, and allows them on the connection", () => {
      const names = Object.values(resource.vault_policy ?? {}).map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(["shop-test/database/static-creds/legacy"]));
      const [approle] = Object.values(resource.vault_approle_auth_backend_role ?? {});
      expect(approle?.token_policies).toEqual([
        "shop-test/database/creds/reader",
        "shop-test/database/static-creds/legacy",
        "shop-test/database/static-creds/old",
      ]);
      const [connection] = Object.values(resource.vault_database_secret_backend_connection ?? {});
      expect(connection?.allowed_roles).toEqual(["legacy", "old", "reader"]);
    });

    test("says of them what an application and an operator need", () => {
      expect(output.static_roles?.value).toEqual({
        legacy: {
          creds_path: "shop-test/database/static-creds/legacy",
          rotate_path: "shop-test/database/rotate-role/legacy",
          username: "shop_test_legacy",
          rotation_period: 43_200,
          statements: { rotation: statementsDigest(rotation()) },
          base_role: "shop_test_reader",
          access: "read-only",
          schemas: ["app"],
        },
        old: {
          creds_path: "shop-test/database/static-creds/old",
          rotate_path: "shop-test/database/rotate-role/old",
          username: "old_app",
          rotation_period: 86_400,
          statements: { rotation: statementsDigest(rotation()) },
        },
      });
    });
  });

  describe("with a static role that names the login which was made for it by its username now", () => {
    const applications = { web: { roles: ["reader"] } };
    const before = synthesize({ ...minimal, staticRoles: { legacy: { role: "reader" } }, applications });
    const login = Object.entries(before.resource.postgresql_role ?? {}).find(
      ([, { name }]) => name === "shop_test_legacy",
    )![0];
    const removed = ({ json }: Synthesized) => (JSON.parse(json) as { removed?: unknown }).removed;

    test.each(["legacy", "other"])("%s lets go of it, and leaves it in PostgreSQL", (name) => {
      const after = synthesize({
        ...minimal,
        staticRoles: { [name]: { username: "shop_test_legacy" } },
        applications,
      });
      expect(removed(after)).toEqual([{ from: `postgresql_role.${login}`, lifecycle: { destroy: false } }]);
    });

    test("does so in whichever stack of the environment made it, once in each", () => {
      const stack = new CredentialsStack(Testing.stubVersion(new App({ stackTraces: false })), {
        ...minimal,
        groups: {
          g: {
            staticRoles: { legacy: { username: "shop_test_legacy" } },
            applications: { a: { roles: ["legacy"] } },
          },
        },
      });
      for (const each of [stack, ...stack.groups]) {
        const from = (removed(synthesizeStack(each)) as { from: string }[]).map((one) => one.from);
        expect(from.filter((address) => address.startsWith("postgresql_role."))).toEqual([
          `postgresql_role.${login}`,
        ]);
        expect(new Set(from).size).toBe(from.length);
      }
    });

    test("has nothing to let go of for a login that it never made", () => {
      const of = (username: string) =>
        removed(synthesize({ ...minimal, staticRoles: { legacy: { username } }, applications }));
      expect(["old_app", "shop_testing", "shop_test_"].map(of)).toEqual([undefined, undefined, undefined]);
    });
  });

  test("an environment named like a property of every object is refused with that reason", () => {
    expect(() => synthesize({ ...minimal, name: "constructor" })).toThrow(
      /something that every object of JavaScript has/,
    );
  });

  test.each([
    [{ name: "Dev" }, /environment's name/],
    [{ name: "dev-" }, /environment's name/],
    [{ application: "" }, /environment's application/],
    [{ applications: { web: { roles: ["writer"] } } }, /reads the role "writer", which is not there/],
    [{ staticRoles: { old: { role: "writer" } } }, /joins the role "writer", which is not there/],
    [{ staticRoles: { reader: { username: "old" } } }, /reader/],
    [{ roles: { reader: readerOf("ap") } }, /has access to the schema "ap".*\n.*one of app, public, or add/],
    [{ roles: { reader: readerOf("public", "App") } }, /has access to the schema "App"/],
    [{ schemas: ["billing"] }, /has access to the schema "app"/],
    [{ groups: { a: { roles: { other: readerOf("ap") } } } }, /The role "other".*the schema "ap"/],
    [{ staticRoles: { old: {} } }, /has no login/],
    [{ staticRoles: { old: { role: "reader", username: "old" } } }, /both a login and a username/],
  ])("refuses %j", (change, message) => {
    expect(() => synthesize({ ...minimal, ...change })).toThrow(message);
  });
});

test("an environment whose schemas are not all its own is not refused access to others", () => {
  const migrations = { access: Access.owner({ schemas: ["app"], createSchemas: true }) };
  const changes: readonly Partial<Environment>[] = [
    { roles: { reader: readerOf("app", "public", "information_schema", Token.asString({ schema: 1 })) } },
    { roles: { reader: readerOf("later"), migrations } },
    { roles: { reader: readerOf("of_the_template") }, databaseTemplate: "orders_template" },
    { roles: { reader: readerOf("app") }, schemas: [Token.asString({ schema: 1 })] },
  ];
  for (const change of changes) expect(() => synthesize({ ...minimal, ...change })).not.toThrow();
});

test("examples/composition adds to what is there and declares none of it", () => {
  const stack = synthesizeStack(
    new ReportingStack(Testing.stubVersion(new App({ stackTraces: false })), "reporting", {
      vaultAddress: "https://vault.example.com",
      postgresHost: "db.example.com",
    }),
  );
  expect(summary(stack)).toMatchSnapshot();
});

/** The plan in short: what is declared, without SQL and Terraform's metadata. */
function summary(stack: Synthesized): unknown {
  const parsed = JSON.parse(stack.json) as { terraform: { backend: unknown }; provider: unknown };
  const lines = Object.entries(stack.resource).flatMap(([type, resources]) =>
    Object.values(resources).map((resource) => `${type} ${describeResource(resource)}`),
  );
  return { backend: parsed.terraform.backend, provider: parsed.provider, resources: lines.sort() };
}

function describeResource(resource: Readonly<Record<string, unknown>>): string {
  const hidden = [
    "//",
    "depends_on",
    "creation_statements",
    "renew_statements",
    "revocation_statements",
    "data_json",
    "policy",
  ];
  return Object.entries(resource)
    .filter(([name, value]) => !hidden.includes(name) && !isOfEveryRole(name, value))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(" ");
}

/** What a dynamic role ignores, since it is written as a whole. */
const isOfEveryRole = (name: string, value: unknown) =>
  name === "lifecycle" && JSON.stringify(value).includes("revocation_statements");

describe("the address of Vault", () => {
  const at = (address: string) => () => synthesize({ ...local({}), vault: { address } });

  test.each([
    "https://u:hunter2@vault.example.com",
    "https://hunter2@vault.example.com:8200",
    "https://vault.example.com?token=hunter2",
    "https://vault.example.com#hunter2",
    "ftp://vault.example.com",
    "vault.example.com:8200",
    "https://vault:99999",
    "https:///",
    "http://vault:8200/v1",
    "http://vault:8200/v1/",
    " https://vault",
    " ",
    "",
  ])("%j is refused, and no secret in it is shown", (address) => {
    expect(at(address)).toThrow(/^The address of Vault .* is not usable\./);
    expect(at(address)).not.toThrow(/hunter2/);
  });

  test.each([
    "https://vault.example.com:8200",
    "http://127.0.0.1:8200/",
    "https://[::1]:8200",
    "https://proxy.example.com/vault",
    "https://Vault.example.com",
    "https://vault.example.com/v10",
  ])("%j is taken as it is", (address) => {
    const { provider } = JSON.parse(at(address)().json) as { provider: { vault: { address: string }[] } };
    expect(provider.vault[0]?.address).toBe(address);
  });

  test("may be one that only Terraform knows", () => {
    expect(at("${var.address}")).not.toThrow();
  });
});

test.each(["", "u".repeat(64), "a=b"])("the login of Terraform %j is refused", (username) => {
  const environment = local({});
  const build = () => synthesize({ ...environment, postgres: { ...environment.postgres, username } });
  expect(build).toThrow(/login of Terraform/);
});
