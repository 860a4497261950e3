import {
  databaseDifferences,
  roleDifferences,
  schemaDifferences,
  type RoleThere,
} from "../../cli/import-kinds";
import { vaultDifferences } from "../../cli/import-vault-kinds";
import { pathsOfPolicy } from "../../cli/policy-paths";

/** A base role as the library makes it. */
const there: RoleThere = {
  ...{ name: "shop_owner", login: false, superuser: false, create_role: false, create_database: false },
  ...{
    replication: false,
    bypass_row_level_security: false,
    roles: [],
    powerful: [],
    owns_in: [],
    databases: [],
  },
  ours_to_change: true,
};
const code = {
  creates: new Map([["shop_owner", new Set(["shop"])]]),
  owners: new Map([["keeper", new Set(["shop"])]]),
};

describe("a role that is to be imported", () => {
  const baseRole = { name: "shop_owner", login: false };
  const login = { name: "shop_legacy", login: true, superuser: false, roles: ["shop_owner"] };

  test.each<[string, object, Partial<RoleThere>]>([
    ["a base role", baseRole, {}],
    ["an owner that owns in its database", baseRole, { owns_in: ["shop"] }],
    ["a login", login, { name: "shop_legacy", login: true, roles: ["shop_owner"] }],
    [
      "an owner's login that made something as itself",
      login,
      { name: "shop_legacy", login: true, roles: ["shop_owner"], owns_in: ["shop"] },
    ],
    [
      "a manager, whatever it is a member of",
      { login: true, create_role: true, lifecycle: { ignore_changes: "all" } },
      {
        name: "m",
        login: true,
        create_role: true,
        roles: ["pg_signal_backend"],
        powerful: ["pg_signal_backend"],
      },
    ],
    [
      "a role that owns the database that the code says",
      { login: false },
      { name: "keeper", databases: ["shop"] },
    ],
  ])("is the code's where it is %s", (_, wanted, changes) => {
    expect(roleDifferences(wanted as never, { ...there, ...changes }, code)).toEqual([]);
  });

  test.each<[object, Partial<RoleThere>, string]>([
    [baseRole, { login: true }, "may log in (LOGIN)"],
    [login, { name: "shop_legacy", roles: ["shop_owner"] }, "may not log in (NOLOGIN)"],
    [baseRole, { superuser: true }, "is a superuser"],
    [baseRole, { create_role: true }, "may create roles (CREATEROLE)"],
    [{ create_role: true }, {}, "may not create roles (NOCREATEROLE)"],
    [baseRole, { create_database: true }, "may create databases (CREATEDB)"],
    [baseRole, { replication: true }, "may replicate (REPLICATION)"],
    [baseRole, { bypass_row_level_security: true }, "passes row-level security (BYPASSRLS)"],
    [baseRole, { owns_in: ["shop", "other"] }, "owns tables or the like in the database other"],
    [baseRole, { name: "shop_reader", owns_in: ["shop"] }, "owns tables or the like in the database shop"],
    [baseRole, { databases: ["shop"] }, "owns the database shop"],
    [login, { name: "shop_legacy", login: true, roles: ["x"] }, "is no member of shop_owner"],
    [baseRole, { roles: ["pg_monitor"], powerful: ["pg_monitor"] }, "is a member of pg_monitor"],
    [
      baseRole,
      { ours_to_change: false },
      "was made by another login than Terraform's, which is not ADMIN of it",
    ],
  ])("is not the code's %j where it is %j", (wanted, changes, difference) => {
    expect(roleDifferences(wanted as never, { ...there, ...changes }, code)).toEqual([difference]);
  });
});

test("a database is the code's where its owner, encoding and locale are", () => {
  const shop = { owner: "terraform", encoding: "UTF8", lc_collate: "C", lc_ctype: "C", entered: true };
  const differences = (wanted: object, changes = {}) =>
    databaseDifferences(wanted as never, { ...shop, ...changes }, "terraform");
  expect(differences({ name: "shop" })).toEqual([]);
  expect(differences({ owner: "keeper", encoding: "UTF8" }, { owner: "keeper" })).toEqual([]);
  expect(differences({}, { owner: "shop_owner" })).toEqual(["belongs to shop_owner, not to terraform"]);
  expect(differences({ owner: "keeper" })).toEqual(["belongs to terraform, not to keeper"]);
  expect(differences({ lc_collate: "de_DE.UTF-8" })).toEqual(["has the lc_collate C, and keeps it"]);
});

test("a mount may have any description but that of another environment", () => {
  const wanted = { type: "database", description: "PostgreSQL credentials of orders (dev)" };
  for (const description of ["", "by hand", wanted.description]) {
    expect(vaultDifferences("vault_mount", wanted, { type: "database", description })).toEqual([]);
  }
  const ours = { type: "database", description: "Short-lived database credentials" };
  expect(vaultDifferences("vault_mount", ours, { type: "database", description: "by hand" })).toEqual([]);
});

test("a schema is the code's where Terraform's login has the rights of its owner", () => {
  expect(schemaDifferences({}, { owner: "terraform", ours: true }, "terraform")).toEqual([]);
  expect(schemaDifferences({}, { owner: "team", ours: true }, "terraform")).toEqual([]);
  expect(schemaDifferences({}, { owner: "team", ours: false }, "terraform")).toEqual([
    "belongs to team, not to terraform",
  ]);
});

test.each([
  ["vault_mount", { type: "database" }, { type: "kv" }, /type "kv", not "database"/],
  [
    "vault_mount",
    { description: "PostgreSQL credentials of orders (eu-dev)" },
    { description: "PostgreSQL credentials of orders-eu (dev)" },
    /environment "orders-eu \(dev\)", not "orders \(eu-dev\)"/,
  ],
  ["vault_auth_backend", { type: "approle" }, { type: "userpass" }, /type "userpass", not "approle"/],
  [
    "vault_database_secret_backend_connection",
    { postgresql: { username: "m" } },
    { plugin_name: "mysql-database-plugin", connection_details: { username: "m" } },
    /plugin "mysql", not "postgresql"/,
  ],
  [
    "vault_database_secret_backend_connection",
    { mysql: { username: "m" } },
    { plugin_name: "mysql-rds-database-plugin", connection_details: { username: "root" } },
    /login "root", not "m"/,
  ],
  ["vault_database_secret_backend_role", { db_name: "a" }, { db_name: "b" }, /connection "b", not "a"/],
  [
    "vault_mount",
    { type: "kv", options: { version: "2" } },
    { type: "kv", options: null },
    /key-value version "1", not "2"/,
  ],
  [
    "vault_database_secret_backend_static_role",
    { db_name: "a", username: "u" },
    { db_name: "a", username: "v" },
    /login "v", not "u"/,
  ],
])("a %s of another kind differs", (type, wanted, data, difference) => {
  expect(vaultDifferences(type, wanted, data)).toEqual([expect.stringMatching(difference)]);
  expect(vaultDifferences(type, {}, data)).toEqual([]);
});

describe("what would be another's to change", () => {
  const rule = (path: string, capabilities = '["read"]') =>
    `path "${path}" {\n  capabilities = ${capabilities}\n}\n`;
  const QUOTA = { name: "shop", path: "shop/database/" };
  const DEVICE = {
    path: "shop",
    type: "file",
    description: "All",
    options: { file_path: "/log/shop", mode: "0600" },
  };
  const device = (changes: object) => ({ "shop/": { ...DEVICE, path: "shop/", ...changes } });

  test.each<[string, object, object, RegExp]>([
    ["vault_quota_rate_limit", QUOTA, { path: "", rate: 9999, role: "" }, /path "", not "shop\/database"/],
    ["vault_quota_rate_limit", QUOTA, { path: "other/database/", role: "" }, /path "other\/database"/],
    ["vault_quota_rate_limit", QUOTA, { ...QUOTA, role: "web" }, /role "web", not ""/],
    [
      "vault_quota_rate_limit",
      { path: "auth/a/", role: "web" },
      { path: "auth/a/", role: "" },
      /role "", not "web"/,
    ],
    ["vault_policy", { policy: rule("shop/a") }, { policy: rule("other/*") }, /has the path "other\/\*"/],
    [
      "vault_policy",
      { policy: rule("shop/a") },
      { policy: rule("shop/a") + rule("other/b") },
      /has the path "other\/b", which the code does not say/,
    ],
    [
      "vault_policy",
      { policy: rule("shop/a") },
      { policy: '{"path": {"other/b": {"capabilities": ["read"]}}}' },
      /"other\/b"/,
    ],
    [
      "vault_policy",
      { policy: rule("shop/a") },
      { policy: 'path = { "other/b" = {} }' },
      /a text that this command does not understand/,
    ],
    [
      "vault_approle_auth_backend_role",
      { token_policies: ["shop/a"] },
      { token_policies: ["shop/a", "admin"] },
      /has the policy "admin", which the code does not say/,
    ],
    ["vault_approle_auth_backend_role", {}, { token_policies: ["admin"] }, /the policy "admin"/],
    ["vault_audit", DEVICE, device({ type: "socket", options: {} }), /type "socket", not "file"/],
    ["vault_audit", DEVICE, device({ options: { file_path: "/log/all" } }), /file "\/log\/all"/],
    ["vault_audit", DEVICE, device({ description: "of the bank" }), /description "of the bank"/],
    [
      "vault_audit",
      DEVICE,
      device({ options: { ...DEVICE.options, mode: "0640" } }),
      /mode "0640", not "0600"/,
    ],
  ])("a %s %j that is there as %j", (type, wanted, there, difference) => {
    expect(vaultDifferences(type, wanted as never, there as never)).toEqual([
      expect.stringMatching(difference),
    ]);
  });

  test.each<[string, object, object]>([
    ["vault_quota_rate_limit", QUOTA, { ...QUOTA, role: "", rate: 7 }],
    ["vault_quota_rate_limit", { ...QUOTA, path: "shop/kv/data/a" }, { path: "shop/kv/data/a", role: "" }],
    ["vault_quota_rate_limit", { ...QUOTA, path: "${var.path}" }, { path: "", role: "" }],
    ["vault_policy", { policy: rule("shop/a") }, { policy: rule("shop/a") }],
    ["vault_policy", { policy: rule("shop/a") }, { policy: rule("shop/a", '["read", "list"]') }],
    ["vault_policy", { policy: rule("shop/a") + rule("shop/b") }, { policy: rule("shop/b") }],
    ["vault_policy", { policy: rule("${var.path}") }, { policy: rule("shop/a") }],
    ["vault_policy", { policy: rule("shop/a") }, { policy: "" }],
    [
      "vault_approle_auth_backend_role",
      { token_policies: ["a", "b"] },
      { token_policies: ["b"], token_ttl: 1 },
    ],
    ["vault_approle_auth_backend_role", { token_policies: ["${var.p}"] }, { token_policies: ["b"] }],
    ["vault_approle_auth_backend_role", {}, { token_policies: null }],
    ["vault_audit", DEVICE, device({})],
    ["vault_audit", DEVICE, { "other/": { type: "socket" } }],
    ["vault_mount", { type: "kv", options: { version: "2" } }, { type: "kv", options: { version: "2" } }],
    ["vault_mount", { type: "database" }, { type: "database", options: null }],
  ])("no %s %j that is there as %j", (type, wanted, there) => {
    expect(vaultDifferences(type, wanted as never, there as never)).toEqual([]);
  });
});

test.each<[string, string[] | undefined]>([
  ["", []],
  ['# a comment\npath "a" { policy = "write" }\n  // path "c"\n"path""b/*"{}', ["a", "b/*"]],
  ['path "a" {\n capabilities = ["read"]\n allowed_parameters = { "x" = ["1"] }\n}', ["a"]],
  ['path "a" { capabilities = ["read"] } path "b" { min_wrapping_ttl = "1s" }', ["a", "b"]],
  ['{"path": [{"a": {}}, {"b": {}}]}', ["a", "b"]],
  ['{"path": {"a": {}}, "name": "x"}', undefined],
  ['{"path": "a"}', undefined],
  ["[1]", undefined],
  ['path "a" {', undefined],
  ['path "a" {} path = {}', undefined],
])("the paths of the policy %j are %j", (policy, paths) => {
  expect(pathsOfPolicy(policy)).toEqual(paths);
});
