import { execFileSync } from "node:child_process";
import { describe as asLine } from "../../cli/commands/import";
import { recoveries, type Recovery } from "../../cli/import-ids";
import { addressesIn, completed, parseState, recorded, type State } from "../../cli/import-state";

const PROVIDER = 'provider["registry.terraform.io/cyrilgdn/postgresql"]';
const inState = (type: string, name: string, attributes: Record<string, unknown>) => ({
  ...{ mode: "managed", type, name, provider: PROVIDER },
  instances: [{ schema_version: 0, attributes }],
});

describe("what is done about a resource of a lost state", () => {
  test.each([
    ["postgresql_role", { name: "owner" }, "owner"],
    ["postgresql_database", { name: "orders" }, "orders"],
    ["postgresql_schema", { name: "app", database: "orders" }, "orders.app"],
    ["vault_mount", { path: "team/database" }, "team/database"],
    ["vault_database_secret_backend_connection", { backend: "db", name: "main" }, "db/config/main"],
    ["vault_database_secret_backend_role", { backend: "db", name: "reader" }, "db/roles/reader"],
    ["vault_database_secret_backend_static_role", { backend: "db", name: "old" }, "db/static-roles/old"],
    ["vault_approle_auth_backend_role", { backend: "a/b", role_name: "api" }, "auth/a/b/role/api"],
  ])("%s with %j is imported as %s", (type, settings, id) => {
    expect(recoveries({ [type]: { It: settings } })).toEqual([{ address: `${type}.It`, way: "import", id }]);
  });

  test("a membership is written into the state, for it cannot be made again while credentials live", () => {
    const membership = { role: "manager", grant_role: "reader", with_admin_option: true };
    expect(recoveries({ postgresql_grant_role: { It: membership } })).toEqual([
      {
        address: "postgresql_grant_role.It",
        way: "record",
        id: "manager_reader_true",
        attributes: { ...membership, id: "manager_reader_true" },
      },
    ]);
  });

  test("whose the state is, is written into it", () => {
    const value = { value: { owner: "orders/dev" }, type: ["object", { owner: "string" }] };
    const resources = { terraform_data: { It: { input: { owner: "orders/dev" } }, Other: {} } };
    const [recovery, other] = recoveries(resources);
    expect(other).toEqual({ address: "terraform_data.Other", way: "deploy" });
    expect(recovery).toMatchObject({
      way: "record",
      id: "orders/dev",
      attributes: { input: value, output: value },
    });
    expect(recorded(parseState(""), resources, [recovery!])?.resources).toMatchObject([
      { type: "terraform_data", name: "It", provider: 'provider["terraform.io/builtin/terraform"]' },
    ]);
  });

  test.each(["postgresql_grant", "postgresql_default_privileges", "vault_kv_secret_v2"])(
    "%s is left to the deployment",
    (type) => expect(recoveries({ [type]: { It: {} } })).toEqual([{ address: `${type}.It`, way: "deploy" }]),
  );

  test.each([
    ["postgresql_role", { name: "${var.name}" }, /only Terraform knows its name/],
    ["postgresql_schema", { name: "app" }, /only Terraform knows its database/],
    ["postgresql_role", { name: "a", count: 2 }, /it is several/],
    ["vault_mount", { path: "db", namespace: "team" }, /TERRAFORM_VAULT_NAMESPACE_IMPORT/],
    ["aws_instance", {}, /does not know its type/],
  ])("%s with %j is left to the user, with the reason", (type, settings, reason) => {
    expect(recoveries({ [type]: { It: settings } })).toMatchObject([
      { way: "by hand", reason: expect.stringMatching(reason) as string },
    ]);
  });

  test("roles come before the database, and all else after", () => {
    const resources = { other: { It: {} }, postgresql_database: { It: { name: "d" } } };
    const order = recoveries({ ...resources, postgresql_role: { It: { name: "r" } } });
    expect(order.map(({ address }) => address)).toEqual([
      "postgresql_role.It",
      "postgresql_database.It",
      "other.It",
    ]);
  });
});

describe("an imported state", () => {
  const resources = {
    vault_database_secret_backend_connection: {
      It: { name: "main", postgresql: { username: "m", password_wo: "${var.p}", password_wo_version: 3 } },
    },
    postgresql_role: { Login: { name: "login", password_wo: "${var.p}", password_wo_version: "2" } },
    postgresql_database: { It: { name: "orders", template: "template1" }, Plain: { name: "plain" } },
    postgresql_grant_role: { It: { role: "m", grant_role: "r" } },
  };
  const imported = (version: unknown): State => ({
    serial: 4,
    resources: [
      inState("vault_database_secret_backend_connection", "It", {
        name: "main",
        postgresql: [{ username: "m", password_wo: null, password_wo_version: version }],
      }),
      inState("postgresql_role", "Login", { name: "login", password_wo_version: null }),
      inState("postgresql_database", "It", { name: "orders", template: "template0" }),
      inState("postgresql_database", "Plain", { name: "plain", template: "template0" }),
    ],
  });
  const attributes = (state: State | undefined) =>
    state?.resources?.map(({ instances }) => instances[0]?.attributes);

  test.each([null, 0])("with the version %j gets what no server tells, and nothing else", (version) => {
    const state = completed(imported(version), resources);
    expect(state?.serial).toBe(5);
    expect(attributes(state)).toEqual([
      { name: "main", postgresql: [{ username: "m", password_wo: null, password_wo_version: 3 }] },
      { name: "login", password_wo_version: "2" },
      { name: "orders", template: "template1" },
      { name: "plain", template: "template0" },
    ]);
  });

  test("that is complete is left alone", () => {
    const state = completed(imported(0), resources);
    expect(completed(state!, resources)).toBeUndefined();
  });

  test("keeps an older version, which a deployment is to follow with the new secret", () => {
    const [connection] = attributes(completed(imported(2), resources)) ?? [];
    expect(connection).toMatchObject({ postgresql: [{ password_wo_version: 2 }] });
  });

  test("gets a membership once, with the provider of its kind", () => {
    const state = recorded(imported(3), resources, recoveries(resources));
    expect(state?.resources?.at(-1)).toEqual(
      inState("postgresql_grant_role", "It", {
        ...{ role: "m", grant_role: "r", with_admin_option: false },
        id: "m_r_false",
      }),
    );
    expect(recorded(state!, resources, recoveries(resources))).toBeUndefined();
  });

  test("gets no membership where nothing tells its provider", () => {
    expect(recorded(parseState(""), resources, recoveries(resources))).toBeUndefined();
  });

  test("knows its own resources, not data nor those of modules", () => {
    const [first] = imported(1).resources ?? [];
    const others = [
      { ...first!, mode: "data", name: "Data" },
      { ...first!, module: "module.m", name: "Other" },
    ];
    expect([...addressesIn({ serial: 1, resources: [first!, ...others] })]).toEqual([
      "vault_database_secret_backend_connection.It",
    ]);
    expect(addressesIn(parseState("\n")).size).toBe(0);
  });
});

describe("a line of what would be done", () => {
  const HOSTILE = [
    "it's",
    "a'; touch x; '",
    "$(id)`id`\\",
    '"',
    "a\nb",
    "é\u202e0\u001b[2J\u0007",
    "\\'\u0001'",
    "-x",
    "!",
    "",
  ];

  test.each(HOSTILE)("has the id %j as one word of a shell's", (id) => {
    const line = asLine({ address: "postgresql_role.a'b", way: "import", id });
    const script = `terraform() { printf '%s\\0' "$@"; }; ${line}`;
    const words = execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8" }).split("\0");
    expect(words).toEqual(["import", "postgresql_role.a'b", id, ""]);
    // eslint-disable-next-line no-control-regex -- control characters are just what must not show
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  test.each([
    { way: "record", address: "a\nrm x", id: "b\nrm x", attributes: {} },
    { way: "deploy", address: "a\nrm x" },
    { way: "by hand", address: "a\nrm x", reason: "b\u001b" },
  ] satisfies Recovery[])("%j is a comment and no more", (recovery) => {
    expect(asLine(recovery)).toMatch(/^# [ -~]*$/);
  });
});
