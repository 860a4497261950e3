import { Fn, Lazy, TerraformVariable, Token, type TerraformStack } from "cdktf";
import {
  Access,
  BaseRole,
  ConfigurationError,
  ManagerRole,
  PostgresDatabase,
  WriteOnlySecret,
  type AccessGrant,
} from "../../lib";
import { addressOf, all, one, synthesize, waitsFor } from "./synthesis";

test("a name that every object of JavaScript has is refused with that reason", () => {
  const add = (id: string) =>
    synthesize((scope) =>
      new PostgresDatabase(scope, "D", { name: "orders" }).addBaseRole(id, {
        access: Access.readOnly({ schemas: ["app"] }),
      }),
    );
  for (const name of ["constructor", "toString", "valueOf", "hasOwnProperty"]) {
    expect(() => add(name)).toThrow(
      new RegExp(`The base role "${name}" has the name of something that every object of JavaScript has`),
    );
  }
});

describe("PostgresDatabase", () => {
  test("minimal definition: closed to PUBLIC and protected", () => {
    const stack = synthesize((scope) => new PostgresDatabase(scope, "Orders", { name: "orders" }));
    expect(one(stack, "postgresql_database")).toMatchObject({
      name: "orders",
      lifecycle: { prevent_destroy: true },
    });
    for (const object_type of ["database", "schema"]) {
      expect(one(stack, "postgresql_grant", { object_type })).toMatchObject({
        role: "public",
        privileges: [],
      });
    }
  });

  test("can be left unprotected", () => {
    const stack = synthesize(
      (scope) => new PostgresDatabase(scope, "Orders", { name: "orders", deletionProtection: false }),
    );
    expect(one(stack, "postgresql_database").lifecycle).not.toHaveProperty("prevent_destroy");
  });

  test.each([true, false])(
    "is not replaced for what is said when it is made and never again, protected or not: %s",
    (deletionProtection) => {
      const made = synthesize(
        (scope) =>
          new PostgresDatabase(scope, "D", { name: "orders", template: "model", deletionProtection }),
      );
      expect(one(made, "postgresql_database").lifecycle).toEqual({
        ...(deletionProtection && { prevent_destroy: true }),
        ignore_changes: ["template", "encoding", "lc_collate", "lc_ctype"],
      });
    },
  );

  test.each<[string, (resource: PostgresDatabase["resource"]) => void, object]>([
    ["", (resource) => (resource.lifecycle = { createBeforeDestroy: true }), { create_before_destroy: true }],
    [" to ignore more", (resource) => (resource.lifecycle = { ignoreChanges: ["owner"] }), {}],
    [
      " by an override",
      (resource) => resource.addOverride("lifecycle.prevent_destroy", false),
      { prevent_destroy: false },
    ],
  ])("keeps that beside a lifecycle of its user's%s", (_, change, kept) => {
    const made = synthesize((scope) => change(new PostgresDatabase(scope, "D", { name: "orders" }).resource));
    const { ignore_changes: ignored, ...others } = one(made, "postgresql_database").lifecycle as Record<
      string,
      string[]
    >;
    expect(ignored).toEqual(expect.arrayContaining(["template", "encoding", "lc_collate", "lc_ctype"]));
    expect(others).toEqual(kept);
  });

  test("leaves to its user to ignore all", () => {
    const made = synthesize(
      (scope) =>
        (new PostgresDatabase(scope, "D", { name: "orders" }).resource.lifecycle = { ignoreChanges: "all" }),
    );
    expect(one(made, "postgresql_database").lifecycle).toEqual({ ignore_changes: "all" });
  });

  test.each<[string, (scope: TerraformStack) => PostgresDatabase | void, readonly unknown[]]>([
    [
      "refuses another name for a protected one that has schemas",
      (scope) => new PostgresDatabase(scope, "D", { name: "shop" }),
      [
        {
          precondition: [
            {
              condition: "${(postgresql_database.D_Resource.id == postgresql_database.D_Resource.name)}",
              error_message: expect.stringMatching(
                /^The database \$\{postgresql_database\.D_\w+\.id\} would be renamed to \$\{postgresql_database\.D_\w+\.name\}: nothing is changed/,
              ) as unknown,
            },
          ],
        },
      ],
    ],
    [
      "refuses none for one that may be dropped",
      (scope) => new PostgresDatabase(scope, "D", { name: "shop", deletionProtection: false }),
      [undefined],
    ],
  ])("%s", (_, build, lifecycles) => {
    const made = synthesize((scope) => void build(scope)?.addSchema("app"));
    const schemas = all(made, "postgresql_schema");
    const shown = JSON.parse(
      JSON.stringify(schemas).replaceAll(/postgresql_database\.D_\w+/g, "postgresql_database.D_Resource"),
    ) as typeof schemas;
    expect(shown.map(({ lifecycle }) => lifecycle)).toEqual(lifecycles);
  });

  test("of elsewhere may have its schemas dropped, and the reference another name", () => {
    const made = synthesize((scope) => PostgresDatabase.fromName(scope, "D", "shop").addSchema("app"));
    expect(one(made, "postgresql_schema")).not.toHaveProperty("lifecycle");
  });

  test("drops the contents of its schemas only if it may be dropped itself", () => {
    const dropCascade = (deletionProtection: boolean) => {
      const stack = synthesize((scope) =>
        new PostgresDatabase(scope, "Orders", { name: "orders", deletionProtection }).addSchema("app"),
      );
      return one(stack, "postgresql_schema", { name: "app" }).drop_cascade;
    };
    expect([dropCascade(true), dropCascade(false)]).toEqual([false, true]);
  });

  test("an existing one is not declared, and takes base roles all the same", () => {
    const stack = synthesize((scope) =>
      PostgresDatabase.fromName(scope, "Orders", "orders").addBaseRole("reader", {
        access: Access.readOnly(),
      }),
    );
    expect(all(stack, "postgresql_database")).toEqual([]);
    expect(one(stack, "postgresql_role")).toMatchObject({ name: "orders_reader", login: false });
  });

  test("refuses two base roles of one id", () => {
    expect(() =>
      synthesize((scope) => {
        const database = new PostgresDatabase(scope, "Orders", { name: "orders" });
        database.addBaseRole("reader", { access: Access.readOnly() });
        database.addBaseRole("reader", { access: Access.readOnly() });
      }),
    ).toThrow(/two base roles with the id "reader"/);
  });

  test("refuses a default role name that PostgreSQL would cut", () => {
    expect(() =>
      synthesize((scope) => {
        const database = new PostgresDatabase(scope, "Orders", { name: "x".repeat(60) });
        database.addBaseRole("reader", { access: Access.readOnly() });
      }),
    ).toThrow(/is 67 bytes long/);
  });

  test("takes a name that only Terraform knows", () => {
    const stack = synthesize((scope) => {
      const name = new TerraformVariable(scope, "database", { type: "string" }).stringValue;
      new PostgresDatabase(scope, "Orders", { name }).addBaseRole("reader", { access: Access.readOnly() });
    });
    expect(one(stack, "postgresql_role").name).toBe("${var.database}_reader");
  });
});

describe("base roles", () => {
  const build = (order: readonly ("owner" | "writer" | "reader")[]) =>
    synthesize((scope) => {
      const database = new PostgresDatabase(scope, "Orders", { name: "orders" });
      database.addSchema("app");
      const access = {
        owner: Access.owner({ schemas: ["app"] }),
        writer: Access.readWrite({ schemas: ["app"] }),
        reader: Access.readOnly({ schemas: ["app"] }),
      };
      order.forEach((id) => database.addBaseRole(id, { access: access[id] }));
    });
  const privileges = (stack: ReturnType<typeof build>, type: string, role: string) =>
    Object.fromEntries(
      all(stack, type).flatMap((r) =>
        r.role === role ? [[r.object_type as string, r.privileges] as const] : [],
      ),
    );

  test("have the privileges of their level and no others", () => {
    const stack = build(["owner", "writer", "reader"]);
    expect(privileges(stack, "postgresql_grant", "orders_owner")).toEqual({
      database: ["CONNECT", "TEMPORARY"],
      schema: ["USAGE", "CREATE"],
    });
    expect(privileges(stack, "postgresql_grant", "orders_writer")).toEqual({
      database: ["CONNECT"],
      schema: ["USAGE"],
      table: ["SELECT", "INSERT", "UPDATE", "DELETE"],
      sequence: ["USAGE", "SELECT"],
    });
    expect(privileges(stack, "postgresql_grant", "orders_reader")).toEqual({
      database: ["CONNECT"],
      schema: ["USAGE"],
      table: ["SELECT"],
      sequence: ["SELECT"],
    });
  });

  test.each([[["owner", "reader"]], [["reader", "owner"]]] as const)(
    "cover what the owner makes later, whichever comes first: %p",
    (order) => {
      const stack = build(order);
      expect(privileges(stack, "postgresql_default_privileges", "orders_reader")).toEqual({
        table: ["SELECT"],
        sequence: ["SELECT"],
      });
      expect(new Set(all(stack, "postgresql_default_privileges").map((r) => r.owner))).toEqual(
        new Set(["orders_owner"]),
      );
    },
  );

  test("cover what a role of elsewhere makes, if named", () => {
    const stack = synthesize((scope) =>
      new PostgresDatabase(scope, "Orders", { name: "orders" }).addBaseRole("reader", {
        access: Access.readOnly(),
        objectOwners: [BaseRole.fromName(scope, "Legacy", "legacy")],
      }),
    );
    expect(one(stack, "postgresql_default_privileges", { object_type: "table" })).toMatchObject({
      owner: "legacy",
    });
  });

  test("change access lists one after the other", () => {
    const stack = build(["owner", "writer", "reader"]);
    const changing = ["postgresql_grant", "postgresql_default_privileges", "postgresql_schema"].flatMap(
      (type) => Object.keys(stack.resource[type] ?? {}).map((name) => `${type}.${name}`),
    );
    const lengths = changing.map((address) => {
      const before = waitsFor(stack, address);
      return changing.filter((other) => before.has(other)).length;
    });
    expect(lengths.sort((a, b) => a - b)).toEqual(changing.map((_, index) => index));
  });

  test("are dropped after the database in which they own things", () => {
    const stack = build(["owner"]);
    expect(waitsFor(stack, addressOf(stack, "postgresql_database"))).toContain(
      addressOf(stack, "postgresql_role", { name: "orders_owner" }),
    );
  });
});

describe("a grant on named objects", () => {
  const grantsOf = (...lists: (readonly string[])[]) => {
    const stack = synthesize((scope) => {
      const grants = lists.map((objects): AccessGrant => ({
        ...{ on: "table", schema: "app", privileges: ["SELECT"], objects },
      }));
      const database = new PostgresDatabase(scope, "D", { name: "d" });
      database.addBaseRole("r", { access: Access.custom(grants) });
    });
    const { removed } = JSON.parse(stack.json) as { removed?: { from: string; lifecycle: unknown }[] };
    const found = Object.entries(stack.resource.postgresql_grant ?? {}).filter(
      ([, { role }]) => role === "d_r",
    );
    const byAddress = found.map(([name, { objects }]) => [`postgresql_grant.${name}`, objects]);
    return { byAddress: Object.fromEntries(byAddress) as Record<string, unknown>, removed };
  };
  const addressesOf = (...lists: (readonly string[])[]) => Object.keys(grantsOf(...lists).byAddress).sort();

  test("is one for each, with an address that no other object of the list changes", () => {
    const { byAddress } = grantsOf(["t", "u", "t"]);
    expect(Object.values(byAddress)).toEqual([["t"], ["u"]]);
    for (const [address, objects] of Object.entries(byAddress)) {
      expect(addressesOf(objects as string[])).toEqual([address]);
    }
    expect(addressesOf(["u", "t"])).toEqual(addressesOf(["t"], ["u"]));
    expect(addressesOf(["t", "u", "w"])).toEqual(expect.arrayContaining(addressesOf(["u", "t"])));
  });

  test("takes the one for the whole list out of the state, as an earlier version declared it", () => {
    const { byAddress, removed } = grantsOf(["u", "t"]);
    expect(removed).toEqual([
      {
        from: expect.stringMatching(/^postgresql_grant\..*_grant-table-app-t-u_/) as string,
        lifecycle: { destroy: false },
      },
    ]);
    expect(byAddress).not.toHaveProperty([removed?.[0]?.from ?? ""]);
    expect(grantsOf(["t"]).removed).toBeUndefined();
  });

  test("stays one where objects have no address of their own", () => {
    expect(Object.values(grantsOf([Token.asString({ t: 1 }), "u"]).byAddress)).toHaveLength(1);
  });
});

describe("Access", () => {
  test("takes the user's own list of grants", () => {
    const access = Access.custom([
      { on: "table", schema: "app", objects: ["invoices"], privileges: ["SELECT"] },
    ]);
    expect(access.level).toBe("custom");
    expect(access.schemas).toEqual(["app"]);
  });

  test.each([
    [[{ on: "table", schema: "app", privileges: ["ALL"] }], /Use one or more of SELECT/],
    [[{ on: "table", schema: "app", privileges: [] }], /Use one or more of/],
    [[{ on: "table", privileges: ["SELECT"] }], /has no schema/],
    [[{ on: "database", schema: "app", privileges: ["CONNECT"] }], /Leave the schema out/],
    [[{ on: "schema", schema: "app", objects: ["x"], privileges: ["USAGE"] }], /names the objects/],
    [
      [
        { on: "schema", schema: "app", privileges: ["USAGE"] },
        { on: "schema", schema: "app", privileges: ["CREATE"] },
      ],
      /two grants on "schema-app"/,
    ],
  ] as const)("refuses the grants %j", (grants, message) => {
    expect(() => Access.custom(grants)).toThrow(message);
  });

  const on = (
    kind: "table" | "sequence" | "function",
    objects?: readonly string[],
    schema = "app",
  ): AccessGrant => {
    const privileges = { table: ["SELECT"], sequence: ["USAGE"], function: ["EXECUTE"] }[kind];
    return { on: kind, schema, objects, privileges };
  };
  const CONNECT: AccessGrant = { on: "database", privileges: ["CONNECT"] };
  const USAGE: AccessGrant = { on: "schema", schema: "app", privileges: ["USAGE"] };

  test.each<[AccessGrant[], RegExp]>([
    [[on("table"), on("table", ["t"])], /all tables in the schema "app", and one on \["t"\].*one by one/s],
    [[on("table", ["t"]), CONNECT, on("table")], /all tables in the schema "app"/],
    [[on("sequence"), USAGE, on("sequence", ["s"])], /all sequences in the schema "app"/],
    [[on("function", ["f(integer)"]), on("function")], /all functions in the schema "app"/],
    [[on("table", ["a", "b"]), on("table", ["c", "b"])], /two grants on "b" among the tables/],
    [[on("table", ["a"]), on("table", ["b"]), on("table", ["c", "a"])], /two grants on "a"/],
    [[on("function", ["f"]), on("function", ["f(integer)"])], /two grants on "f" among the functions/],
    [[on("table"), on("table", Lazy.listValue({ produce: () => ["t"] }))], /all tables/],
  ])("refuses %j, which overlap", (grants, message) => {
    expect(() => Access.custom(grants)).toThrow(message);
  });

  test.each<[AccessGrant[]]>([
    [[CONNECT, USAGE, on("table"), on("sequence"), on("function")]],
    [[on("table"), on("sequence", ["t"]), on("function", ["t"])]],
    [[on("table"), on("table", ["t"], "other")]],
    [[on("table", ["a", "b"]), on("table", ["c"]), on("table", ["B"])]],
    [[on("function", ["f(integer)"]), on("function", ["f(text)"])]],
    [[USAGE, { ...USAGE, schema: "other" }]],
  ])("takes %j, which do not", (grants) => {
    expect(Access.custom(grants).grants).toEqual(grants);
  });

  test.each([[[]], [["app", "app"]], [["a;b"]]])("refuses the schemas %j", (schemas) => {
    expect(() => Access.readOnly({ schemas })).toThrow();
  });
});

describe("ManagerRole", () => {
  const build = (version?: number) =>
    synthesize((scope) => {
      const database = new PostgresDatabase(scope, "Orders", { name: "orders" });
      const reader = database.addBaseRole("reader", { access: Access.readOnly() });
      const manager = new ManagerRole(scope, "Manager", {
        name: "orders_manager",
        password: WriteOnlySecret.fromVariable(scope, "manager_password", { version }),
      });
      manager.handOut(reader);
      manager.handOut(reader);
    });

  test("is no superuser, creates roles, and is never updated", () => {
    expect(one(build(), "postgresql_role", { name: "orders_manager" })).toMatchObject({
      login: true,
      superuser: false,
      create_role: true,
      lifecycle: { ignore_changes: "all" },
    });
  });

  test("is ADMIN of each base role that it hands out, once", () => {
    expect(all(build(), "postgresql_grant_role")).toMatchObject([
      { role: "orders_manager", grant_role: "orders_reader", with_admin_option: true },
    ]);
  });

  test("takes its password from an ephemeral variable by a write-only argument", () => {
    const stack = build();
    expect(stack.variable.manager_password).toMatchObject({ sensitive: true, ephemeral: true });
    const role = one(stack, "postgresql_role", { name: "orders_manager" });
    expect(role).toMatchObject({ password_wo: "${var.manager_password}", password_wo_version: "1" });
    expect(role).not.toHaveProperty("password");
  });

  test("has Terraform refuse a password that cannot log in, before anything is made", () => {
    const { validation = [] } = build().variable.manager_password as {
      validation?: { condition: string; error_message: string }[];
    };
    expect(validation.map(({ error_message }) => error_message)).toEqual([
      expect.stringContaining("TF_VAR_manager_password is empty"),
      expect.stringContaining("TF_VAR_manager_password holds {{username}}"),
      expect.stringContaining("TF_VAR_manager_password has the form of a hash"),
    ]);
    for (const { condition } of validation) expect(condition).toMatch(/^\$\{.*var\.manager_password.*\}$/);
  });

  test.each([0, 1.5, -1])("refuses version %p of its password", (version) => {
    expect(() => build(version)).toThrow(/whole number, 1 or more/);
  });

  test.each([
    "${var.word}",
    "${ephemeral.vault_kv_secret_v2.manager.data.password}",
    '${ephemeral.aws_secretsmanager_secret_version.all[0].values["pass-word"]}',
  ])("has the reference %s as its password", (expression) => {
    const stack = synthesize((scope) => {
      const password = WriteOnlySecret.fromExpression(expression, 2);
      return new ManagerRole(scope, "Manager", { name: "m", password });
    });
    expect(one(stack, "postgresql_role")).toMatchObject({
      password_wo: expression,
      password_wo_version: "2",
    });
  });

  test.each([
    "hunter2",
    '${"hunter2"}',
    '${nonsensitive("hunter2")}',
    '${join("", ["hun", "ter2"])}',
    "${var.a}hunter2${var.b}",
    "hunter2${var.a}",
    "${var.a}\nhunter2",
    '${var.a == "hunter2" ? var.a : "hunter2"}',
    '${{ a = "hunter2" }["a"]}',
    "$${var.hunter2}",
    "${hunter2",
    "${hunter2}",
    "${}",
    `\${var.a}hunter2${Fn.trimspace("${var.b}")}`,
  ])("refuses the password %j, which would stand in the synthesized file, and does not show it", (text) => {
    expect(() => WriteOnlySecret.fromExpression(text)).toThrow(ConfigurationError);
    expect(() => WriteOnlySecret.fromExpression(text)).toThrow(/one reference and nothing else/);
    expect(() => WriteOnlySecret.fromExpression(text)).not.toThrow(/hunter2|ter2/);
  });
});
