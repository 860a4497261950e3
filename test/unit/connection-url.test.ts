import { TerraformVariable, type TerraformStack } from "cdktf";
import { DatabaseSecretsEngine, ManagerRole, PostgresDatabase, WriteOnlySecret } from "../../lib";
import { one, synthesize } from "./synthesis";

function connect(stack: TerraformStack, tail: string, database = "orders", manager = "orders_manager") {
  return new DatabaseSecretsEngine(stack, "Secrets").addPostgresConnection("c", {
    database: PostgresDatabase.fromName(stack, "Database", database),
    connectionUrl: `postgresql://{{username}}:{{password}}@${tail}`,
    manager: new ManagerRole(stack, "Manager", {
      name: manager,
      password: WriteOnlySecret.fromVariable(stack, "password"),
    }),
  });
}
const url = (tail: string, database?: string, manager?: string) => () =>
  (
    one(
      synthesize((stack) => void connect(stack, tail, database, manager)),
      "vault_database_secret_backend_connection",
    ).postgresql as { connection_url: string }
  ).connection_url;

// What the engine's driver does with each of these was tried on a server.
describe("a URL that leads to another database than the connection's is refused:", () => {
  test.each([
    ["db/postgres", "postgres"],
    ["db:5432/postgres?sslmode=require", "postgres"],
    ["db1:5432,db2:5433/postgres", "postgres"],
    ["[::1]:5432/postgres", "postgres"],
    ["db/%70ostgres", "postgres"],
    ["db//postgres", "postgres"],
    ["db/orders/x", "orders/x"],
    ["db/ORDERS", "ORDERS"],
    ["db/orders?dbname=postgres", "postgres"],
    ["db/orders?database=postgres", "postgres"],
    ["db/orders?%64bname=postgres", "postgres"],
    ["db/orders?dbname=postgres&dbname=orders", "postgres"],
    ["db/orders?dbname=orders&database=postgres", "postgres"],
    ["db?dbname=postgres", "postgres"],
    ["db/orders?dbname=postgres#x", "postgres"],
    ["db", "orders_manager"],
    ["db/", "orders_manager"],
    ["db?sslmode=require", "orders_manager"],
    ["db/?dbname=", "orders_manager"],
    ["db/{{username}}", "orders_manager"],
    ["db/?host=/tmp/orders", "orders_manager"],
    ["db#/orders", "orders_manager"],
  ])("%s", (tail, other) => {
    expect(url(tail)).toThrow(
      `leads to the database "${other}", and the connection's database is "orders".\n  Name the same database in both`,
    );
  });
});

describe("a URL that leads to the connection's database is taken:", () => {
  const taken: readonly (readonly [string, string?, string?])[] = [
    ["db/orders"],
    ["db:5432/orders?sslmode=verify-full"],
    ["db1:5432,db2:5433/orders?target_session_attrs=read-write"],
    ["[::1]:5432/orders"],
    ["db/%6frders"],
    ["db/orders?dbname="],
    ["db/postgres?dbname=orders"],
    ["db?database=orders"],
    ["db/orders?DBNAME=postgres"],
    ["db/orders?application_name=dbname"],
    ["db/orders#?dbname=postgres"],
    ["db/my%20orders", "my orders"],
    ["db/a%2Fb", "a/b"],
    ["db/a+b", "a+b"],
    ["db?dbname=my+orders", "my orders"],
    ["db", "manager", "manager"],
    ["db/{{username}}", "manager", "manager"],
  ];
  test.each(taken.map(([tail, database, manager]) => ({ tail, database, manager })))("$tail", (given) => {
    const { tail, database, manager } = given;
    expect(url(tail, database, manager)()).toBe(`postgresql://{{username}}:{{password}}@${tail}`);
  });
});

test("what only Terraform knows is not compared", () => {
  const made = (build: (stack: TerraformStack, token: string) => void) =>
    synthesize((stack) => build(stack, new TerraformVariable(stack, "t", {}).stringValue));
  expect(() => made((stack, t) => connect(stack, `db/${t}`))).not.toThrow();
  expect(() => made((stack, t) => connect(stack, `db/orders_${t}`, "orders_dev"))).not.toThrow();
  expect(() => made((stack, t) => connect(stack, "db/orders", t))).not.toThrow();
  expect(() => made((stack, t) => connect(stack, `db/${t}`, t))).not.toThrow();
  expect(() => made((stack, t) => connect(stack, `db/billing_${t}`, "orders_dev"))).toThrow(
    /leads to the database "billing_/,
  );
});
