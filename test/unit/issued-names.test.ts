import { TerraformVariable } from "cdktf";
import { Access, DatabaseSecretsEngine, ManagerRole, PostgresDatabase, WriteOnlySecret } from "../../lib";
import { issuedNamePrefix, issuedNameTemplate, type IssuedFrom } from "../../lib/vault/issued-names";
import { one, synthesize } from "./synthesis";

const FROM = { name: "orders", database: "orders" };
const at = (host: string, port?: number): IssuedFrom => ({ ...FROM, endpoint: { host, port } });
const by = (tail: string): IssuedFrom => ({
  ...FROM,
  connectionUrl: `postgresql://{{username}}:{{password}}@${tail}`,
});

describe("how the names of issued users begin", () => {
  test.each([
    [at("db1"), at("db2")],
    [at("db1", 5432), at("db1", 5433)],
    [
      { ...at("db1"), database: "a" },
      { ...at("db1"), database: "b" },
    ],
    [by("db1/orders"), by("db2/orders")],
    [by("/orders?host=db1"), by("/orders?host=db2")],
    [by("/orders?%68ost=db1"), by("/orders?%68ost=db2")],
    [by("db/orders?sslmode=disable&port=5433"), by("db/orders?sslmode=disable&port=5434")],
    [by("db/orders?hostaddr=10.0.0.1"), by("db/orders?hostaddr=10.0.0.2")],
    [by("db/?dbname=a"), by("db/?dbname=b")],
    [by("/?service=a"), by("/?service=b")],
  ])("is another for another server or database: %j and %j", (from, other) => {
    expect(issuedNamePrefix(from)).toMatch(/^v-[0-9a-f]{6}-$/);
    expect(issuedNamePrefix(from)).not.toBe(issuedNamePrefix(other));
    expect(issuedNameTemplate(from)).not.toBe(issuedNameTemplate(other));
  });

  test.each([
    [at("db1"), { ...at("db1", 5432), name: "other" }],
    [by("db/orders?sslmode=disable"), by("db/orders?sslmode=require&connect_timeout=5")],
  ])("is the same for the same: %j and %j", (from, other) => {
    expect(issuedNamePrefix(from)).toBe(issuedNamePrefix(other));
  });

  const declared = (isUrl: boolean) =>
    synthesize((stack) => {
      const host = new TerraformVariable(stack, "host", { type: "string" }).stringValue;
      const database = new PostgresDatabase(stack, "Database", { name: "orders" });
      const manager = new ManagerRole(stack, "Manager", {
        name: "orders_manager",
        password: WriteOnlySecret.fromVariable(stack, "password"),
      });
      new DatabaseSecretsEngine(stack, "Secrets")
        .addPostgresConnection("c", {
          ...{ database, manager },
          ...(isUrl ? { connectionUrl: host } : { endpoint: { host } }),
        })
        .addDynamicRole("reader", {
          baseRole: database.addBaseRole("r", { access: Access.readOnly({ schemas: ["app"] }) }),
        });
    });
  const written = (isUrl: boolean) => {
    const { postgresql } = one(declared(isUrl), "vault_database_secret_backend_connection");
    const { revocation_statements } = one(declared(isUrl), "vault_database_secret_backend_role");
    return {
      template: (postgresql as { username_template: string }).username_template,
      sql: (revocation_statements as string[]).join(),
    };
  };

  test("is made by Terraform, and the same, where it alone knows the host", () => {
    const digest = '${substr(sha256(jsonencode([var.host, 5432, "orders"])), 0, 6)}';
    const { template, sql } = written(false);
    expect(template).toBe(`v-${digest}-{{.RoleName | truncate 8}}-{{random 20}}-{{unix_time}}`);
    expect(sql).toContain(`pg_catalog.starts_with(user_name, 'v-`);
    expect(sql).toContain("sha256(jsonencode([var.host, 5432");
  });

  test("says nothing of the server of a URL that Terraform alone knows, so that the revocation of a user that is not there fails", () => {
    const { template, sql } = written(true);
    expect(template).toMatch(/^v-[0-9a-f]{6}-/);
    expect(sql).not.toContain("starts_with(user_name");
  });
});
