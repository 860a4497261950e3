import { App, Testing } from "cdktf";
import { Access } from "../../lib";
import { parseOutputs } from "../../cli/outputs";
import { CredentialsStack } from "../../stacks/credentials-stack";
import type { Environment, EnvironmentGroup } from "../../stacks/environment";
import type { AppRoleOutput } from "../../stacks/outputs";
import { StateBackend } from "../../stacks/state-backend";
import { OUTPUTS } from "./operator-outputs";
import { all, one, synthesizeStack, type Synthesized } from "./synthesis";

const schemas = ["app"];
const readers = (...roles: string[]) =>
  Object.fromEntries(roles.map((role) => [role, { access: Access.readOnly({ schemas }) }]));

const billing: EnvironmentGroup = {
  roles: { biller: { access: Access.readWrite({ schemas }) } },
  staticRoles: { "old-biller": { role: "biller" }, "old-reader": { role: "reader" } },
  applications: { billing: { roles: ["biller", "old-biller", "reader"] } },
};
const split: Environment = {
  name: "test",
  application: "shop",
  vault: { address: "https://vault.example.com" },
  postgres: { host: "db.example.com" },
  roles: { owner: { access: Access.owner({ schemas }) }, ...readers("reader") },
  applications: { migrations: { roles: ["owner"] } },
  groups: {
    search: { roles: readers("indexer"), applications: { search: { roles: ["indexer", "reader"] } } },
    billing,
  },
};
/** The same roles and applications in one stack. */
const whole: Environment = {
  ...split,
  roles: { ...split.roles, ...readers("indexer"), ...billing.roles },
  staticRoles: billing.staticRoles,
  applications: { ...split.applications, ...split.groups?.search?.applications, ...billing.applications },
  groups: undefined,
};

/** Enough to tell resources apart. */
const PLAN_COLUMNS = ["name", "role_name", "path", "role", "grant_role", "object_type"];

function declare(environment: Environment): CredentialsStack {
  return new CredentialsStack(Testing.stubVersion(new App({ stackTraces: false })), environment);
}

/** Every stack of an environment, by name. */
function synthesizeAll(environment: Environment): Record<string, Synthesized> {
  const base = declare(environment);
  return Object.fromEntries([base, ...base.groups].map((stack) => [stack.node.id, synthesizeStack(stack)]));
}

/** What is declared on the servers, by address, without the order that it is made in. */
function declared(...stacks: Synthesized[]): Record<string, unknown> {
  const entries = stacks.flatMap(({ resource: { terraform_data: _, ...resource } }) =>
    Object.entries(resource).flatMap(([type, named]) =>
      Object.entries(named).map(([name, { depends_on, ...settings }]) => {
        void depends_on;
        return [`${type}.${name}`, settings] as const;
      }),
    ),
  );
  expect(new Set(entries.map(([address]) => address)).size).toBe(entries.length);
  return Object.fromEntries(entries);
}

describe("an environment with groups", () => {
  const stacks = synthesizeAll(split);
  const {
    test: base,
    "test-search": search,
    "test-billing": bills,
  } = stacks as Record<string, Synthesized> & {
    readonly test: Synthesized;
    readonly "test-search": Synthesized;
    readonly "test-billing": Synthesized;
  };

  test("takes what another of them declares now out of its state, and leaves it on the server", () => {
    const removed = ({ json }: Synthesized) =>
      (JSON.parse(json) as { removed?: { from: string; lifecycle: object }[] }).removed ?? [];
    const names = (stack: Synthesized) =>
      removed(stack).map(({ from }) =>
        from.replace(/_[0-9A-F]{8}$/, "").replace("_backend_role.AppRoles", ""),
      );
    expect(names(search).filter((name) => name.startsWith("vault_approle"))).toEqual(
      expect.arrayContaining([expect.stringMatching(/billing$/), expect.stringMatching(/migrations$/)]),
    );
    for (const stack of Object.values(stacks)) {
      const own = Object.entries(stack.resource).flatMap(([type, named]) =>
        Object.keys(named).map((name) => `${type}.${name}`),
      );
      const from = removed(stack).map((one) => one.from);
      expect(from.length).toBeGreaterThan(0);
      expect(from.filter((address) => own.includes(address))).toEqual([]);
      expect(new Set(removed(stack).map(({ lifecycle }) => JSON.stringify(lifecycle)))).toEqual(
        new Set(['{"destroy":false}']),
      );
      // Of PostgreSQL's nothing: it refuses to make a role twice.
      expect(from.filter((address) => !address.startsWith("vault_"))).toEqual([]);
    }
    expect(JSON.parse(synthesizeAll(whole).test!.json)).not.toHaveProperty("removed");
  });

  test("has a stack for each", () => {
    expect(Object.keys(stacks)).toEqual(["test", "test-search", "test-billing"]);
  });

  test("declares what one stack does, at the same addresses and each once", () => {
    expect(declared(...Object.values(stacks))).toEqual(declared(...Object.values(synthesizeAll(whole))));
  });

  test("declares this plan", () => {
    const plan = Object.entries(stacks).map(([name, { resource }]) => [
      name,
      Object.entries(resource).flatMap(([type, named]) =>
        Object.values(named).map((each) =>
          [
            type,
            ...PLAN_COLUMNS.map((column) => each[column]).filter((value) => typeof value === "string"),
          ].join(" "),
        ),
      ),
    ]);
    expect(Object.fromEntries(plan)).toMatchSnapshot();
  });

  test("deploys its own stack first, then one group after the other", () => {
    const environment = declare(split);
    const dependencies = [environment, ...environment.groups].map((stack) => [
      stack.node.id,
      stack.dependencies.map(({ node }) => node.id),
    ]);
    expect(Object.fromEntries(dependencies)).toEqual({
      test: [],
      "test-search": ["test"],
      "test-billing": ["test", "test-search"],
    });
  });

  test("reads no state of another stack", () => {
    for (const { json } of Object.values(stacks)) expect(json).not.toContain("terraform_remote_state");
  });

  test("allows on its connection the roles of all groups", () => {
    const connection = one(base, "vault_database_secret_backend_connection");
    expect(connection.allowed_roles).toEqual([
      "biller",
      "indexer",
      "old-biller",
      "old-reader",
      "owner",
      "reader",
    ]);
  });

  test("declares a policy where its role is, and names it where a group's application reads the role", () => {
    const names = (stack: Synthesized) => all(stack, "vault_policy").map(({ name }) => name);
    expect(names(base)).toEqual(["shop-test/database/creds/owner", "shop-test/database/creds/reader"]);
    expect(names(search)).toEqual(["shop-test/database/creds/indexer"]);
    expect(one(search, "vault_approle_auth_backend_role").token_policies).toEqual([
      "shop-test/database/creds/indexer",
      "shop-test/database/creds/reader",
    ]);
  });

  test("covers what the owner makes in each group's stack", () => {
    for (const stack of [search, bills]) {
      const owners = all(stack, "postgresql_default_privileges").map(({ owner }) => owner);
      expect(owners).toEqual(["shop_test_owner", "shop_test_owner"]);
    }
  });

  test("says of each group what its stack has, and at the top which stacks there are", () => {
    expect(base.output.group_stacks?.value).toEqual(["test-search", "test-billing"]);
    expect(Object.keys(search.output).sort()).toEqual(["approles", "environment", "policies", "roles"]);
    expect(search.output.environment?.value).toBe("test");
  });

  test("says the text of each policy that an application has, in the stack that declares it", () => {
    const digests = [base, search, bills].map(({ output }) => Object.keys(output.policies?.value as object));
    expect(digests).toEqual([
      ["shop-test/database/creds/owner", "shop-test/database/creds/reader"],
      ...[search, bills].map((stack) => all(stack, "vault_policy").map(({ name }) => name)),
    ]);
    for (const { output } of [search, bills]) {
      for (const { settings } of Object.values(output.approles?.value as Record<string, AppRoleOutput>)) {
        expect(settings?.token_policies?.filter((name) => !digests.flat().includes(name))).toEqual([]);
      }
    }
  });

  test.each([
    ["local", StateBackend.local(), "terraform.test-billing.tfstate"],
    ["s3", StateBackend.s3({ bucket: "b", region: "r" }), '"key": "test-billing/terraform.tfstate"'],
    [
      "s3 with a key",
      StateBackend.s3({ bucket: "b", region: "r", key: "shop.v2/test.tfstate" }),
      '"key": "shop.v2/test-billing.tfstate"',
    ],
    [
      "s3 with a key without an extension",
      StateBackend.s3({ bucket: "b", region: "r", key: "shop.v2/test" }),
      '"key": "shop.v2/test-billing"',
    ],
    ["postgres", StateBackend.postgres(), '"schema_name": "terraform_test_billing"'],
    [
      "postgres with a schema",
      StateBackend.postgres({ schemaName: "shop" }),
      '"schema_name": "shop_billing"',
    ],
  ])("keeps each stack's state apart: %s", (_, state, expected) => {
    expect(synthesizeAll({ ...split, state })["test-billing"]?.json).toContain(expected);
  });

  test("refuses a schema for the state that PostgreSQL would shorten to another's", () => {
    const long = "orders-of-the-branch-in-northern";
    const at = (name: string, group: string, state: StateBackend) => () =>
      declare({ ...split, name, state, groups: { [group]: split.groups!.search! } });
    const name = long.slice(0, 31);
    const message =
      /schema for the Terraform state of ".*" is "terraform_orders_of_.*"[^]*63 bytes[^]*schemaName/;
    expect(at(name, `${long.slice(0, 27)}-eu1`, StateBackend.postgres())).toThrow(message);
    expect(at("test", "search", StateBackend.postgres({ schemaName: "s".repeat(57) }))).toThrow(
      /is "s+_search"/,
    );
    expect(at("test", "search", StateBackend.postgres({ schemaName: "s".repeat(56) }))).not.toThrow();
    expect(at(name, "a".repeat(20), StateBackend.postgres())).not.toThrow();
  });

  test("may have all its roles and applications in groups", () => {
    const all = synthesizeAll({
      ...split,
      roles: {},
      applications: {},
      groups: { only: { roles: readers("one") } },
    });
    expect(Object.keys(all)).toEqual(["test", "test-only"]);
  });

  test("may have a group of nothing, whose stack takes out of its state what has moved", () => {
    const { search } = split.groups!;
    const moved = { ...split.applications, search: { roles: ["reader"] } };
    const base = declare({ ...split, applications: moved, groups: { search: {} } });
    const [group] = base.groups.map((stack) => JSON.parse(synthesizeStack(stack).json) as object);
    expect(search?.applications).toHaveProperty("search");
    expect(Object.keys((group as { resource: object }).resource)).toEqual(["terraform_data"]);
    expect(group).toMatchObject({
      removed: expect.arrayContaining([
        {
          from: expect.stringMatching(
            /^vault_approle_auth_backend_role\.AppRoles_shop-test-search_/,
          ) as string,
          lifecycle: { destroy: false },
        },
      ]) as object[],
    });
    expect(base.groups[0]?.node.metadata).toContainEqual(
      expect.objectContaining({
        data: expect.stringMatching(/"search".*neither roles nor applications/) as string,
      }),
    );
  });

  test("without any is one stack, as if there were no such option", () => {
    const { groups, ...plain } = whole;
    void groups;
    expect(synthesizeAll({ ...plain, groups: {} }).test?.json).toBe(synthesizeAll(plain).test?.json);
  });

  const owner = { access: Access.owner({ schemas }) };
  const maker = { access: Access.custom([{ on: "schema", schema: "app", privileges: ["USAGE", "CREATE"] }]) };
  test.each<[string, Record<string, EnvironmentGroup>, RegExp]>([
    ["a name that is none", { Billing: billing }, /name of a group of environment "test" is "Billing"/],
    ["a role twice", { a: { roles: readers("one") }, b: { roles: readers("one") } }, /two roles named "one"/],
    ["a role of its own twice", { a: { roles: readers("Reader") } }, /two roles named "Reader"/],
    [
      "a static role named as a role",
      { a: { staticRoles: { reader: { username: "old" } } } },
      /two roles named "reader"/,
    ],
    [
      "an AppRole twice",
      { a: { applications: { migrations: { roles: ["reader"] } } } },
      /auth method at "shop-test\/approle" has two AppRoles named "shop-test-migrations"/,
    ],
    ["an owner in a group", { a: { roles: { keeper: owner } } }, /"keeper" of group "a" .* may CREATE/],
    ["a role that makes objects", { a: { roles: { maker } } }, /"maker" of group "a" .* may CREATE/],
    [
      "a role of another group",
      { a: { roles: readers("one") }, b: { applications: { web: { roles: ["one"] } } } },
      /"web" of group "b" .* reads the role "one" of group "a"/,
    ],
    [
      "a role that is nowhere",
      { a: { applications: { web: { roles: ["none"] } } } },
      /"web" of group "a" of environment "test" reads the role "none", which is not there/,
    ],
    [
      "a static role of what is nowhere",
      { a: { staticRoles: { old: { role: "none" } } } },
      /"old" of group "a" of environment "test" joins the role "none", which is not there/,
    ],
  ])("refuses %s", (_, groups, message) => {
    expect(() => declare({ ...split, groups })).toThrow(message);
  });
});

describe("the outputs of an environment with groups", () => {
  const { vault, postgres, roles, static_roles, approles } = OUTPUTS;
  const { reader, writer } = roles;
  const base = { vault, postgres, roles: { reader }, approles: {} };
  const content = {
    dev: { ...base, policies: { a: "00" }, group_stacks: ["dev-one", "dev-two"] },
    "dev-one": { environment: "dev", roles: { writer }, approles, policies: { b: "11" } },
    "dev-two": { environment: "dev", roles: {}, static_roles, approles: {} },
  };

  test("are those of all its stacks together", () => {
    expect(parseOutputs(content, "dev", "a file")).toEqual({
      ...base,
      roles: { reader, writer },
      static_roles,
      approles,
      policies: { a: "00", b: "11" },
      group_stacks: ["dev-one", "dev-two"],
    });
  });

  test("lack those of a stack that is not deployed, which is said unless it does not matter", () => {
    const { "dev-two": two, ...rest } = content;
    void two;
    expect(() => parseOutputs(rest, "dev", "a file")).toThrow(/"dev-two" of a group of "dev".*not there/);
    expect(parseOutputs(rest, "dev", "a file", "deployed").roles).toEqual({ reader, writer });
  });

  test("are not asked for by the name of a group's stack", () => {
    expect(() => parseOutputs(content, "dev-one", "a file")).toThrow(
      expect.objectContaining({
        remedy: 'It is the stack of a group of "dev": name that environment.',
      }) as Error,
    );
  });
});
