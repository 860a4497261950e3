import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { main } from "../../cli/main";
import { keep, keptList } from "../../cli/footholds/file";
import { difference, isEmpty, type Foothold, type FootholdList } from "../../cli/footholds/foothold";
import { defaultGrantFootholds, grantFootholds, type Grant } from "../../cli/footholds/grants";
import { QUERIES } from "../../cli/footholds/look";
import { CRON_IS_GENUINE } from "../../cli/footholds/outside";
import { membershipFootholds, settingFootholds, type FoundMembership } from "../../cli/footholds/roles";
import { seen } from "../../cli/footholds/sql";
import { line } from "../../cli/footholds/text";
import { statementsFor } from "../../cli/hand-over/statements";
import type { EnvironmentOutputs } from "../../stacks/outputs";
import { lookups } from "../security/sql-lint";
import { FakeShell } from "../sandbox/fake-shell";
import { OUTPUTS } from "./operator-outputs";

const view = (identity: string, more: Partial<Foothold> = {}): Foothold => ({
  ...{ kind: "view", identity, owner: "o", detail: "", hash: "1" },
  ...more,
});
const list = (footholds: readonly Foothold[], unknownKinds: readonly string[] = []): FootholdList => ({
  ...{ footholds, unknownKinds },
  notLookedAt: unknownKinds.map((kind) => `Not looked at: ${kind}`),
});

describe("the difference of two lists", () => {
  test("is what was added, changed and removed, by kind and name", () => {
    const before = list([view("a"), view("b"), view("c")]);
    const after = list([view("d"), view("c", { hash: "2" }), view("a")]);
    expect(difference(before, after)).toEqual({
      added: [view("d")],
      changed: [{ before: view("c"), after: view("c", { hash: "2" }) }],
      removed: [view("b")],
    });
    expect(isEmpty(difference(before, before))).toBe(true);
  });

  test.each([{ owner: "p" }, { detail: "x" }, { hash: "2" }, { hash: undefined }])(
    "is seen in %j",
    (more) => {
      expect(difference(list([view("a")]), list([view("a", more)])).changed).toHaveLength(1);
    },
  );

  test("says nothing of kinds that one of them knows nothing of", () => {
    expect(isEmpty(difference(list([view("a")]), list([], ["view"])))).toBe(true);
    expect(isEmpty(difference(list([], ["view"]), list([view("a")])))).toBe(true);
    expect(isEmpty(difference(list([view("a")]), list([], ["rule"])))).toBe(false);
  });
});

describe("privileges", () => {
  const outputs: EnvironmentOutputs = {
    ...OUTPUTS,
    roles: {
      reader: { ...OUTPUTS.roles.reader!, access: "read-only", schemas: ["app"] },
      writer: { ...OUTPUTS.roles.writer!, access: "read-write", schemas: ["app"] },
    },
  };
  const grant = (more: Partial<Grant>): Grant => ({
    ...{ on: "table", schema: "app", identity: "app.t", owner: "x_owner", grantee: "x_reader" },
    ...{ privilege: "SELECT", grantable: false },
    ...more,
  });

  test.each<Partial<Grant>>([
    {},
    { grantee: "x_writer", privilege: "DELETE" },
    { grantee: "x_writer", on: "sequence", privilege: "USAGE" },
    { on: "schema", privilege: "USAGE" },
    { on: "database", schema: null, privilege: "CONNECT" },
    { on: "database", schema: null, privilege: "CONNECT", grantee: "x_manager" },
  ])("%j is what the environment declares", (more) => {
    expect(grantFootholds(outputs, [grant(more)])).toEqual([]);
  });

  test.each<Partial<Grant>>([
    { privilege: "INSERT" },
    { grantable: true },
    { schema: "other" },
    { grantee: null },
    { grantee: "somebody" },
    { on: "schema", privilege: "CREATE" },
    { on: "column" },
    { on: "database", schema: null, privilege: "CREATE", grantee: "x_manager" },
    { grantee: "x_manager" },
  ])("%j is beyond it", (more) => {
    expect(grantFootholds(outputs, [grant(more)])).toHaveLength(1);
  });

  test("are one entry for whoever has some on something, in an order of their own", () => {
    const privileges = ["UPDATE", "INSERT"].map((privilege) => grant({ privilege, grantee: null }));
    const [entry, ...others] = grantFootholds(outputs, [
      ...privileges,
      grant({ grantee: null, grantable: true }),
    ]);
    expect(others).toEqual([]);
    expect(entry).toEqual({
      kind: "privilege",
      identity: "PUBLIC on table app.t",
      owner: "x_owner",
      detail: "INSERT, SELECT*, UPDATE",
    });
  });

  test("by default are all told", () => {
    const common = { maker: "o", on: "tables", privilege: "SELECT", grantable: false };
    const entries = defaultGrantFootholds([
      { ...common, schema: "app", grantee: "x_reader" },
      { ...common, schema: null, grantee: null },
    ]);
    expect(entries.map(({ identity }) => identity)).toEqual([
      "x_reader on tables made by o in app",
      "PUBLIC on tables made by o",
    ]);
  });
});

describe("memberships", () => {
  const membership = (more: Partial<FoundMembership>): FoundMembership => ({
    ...{ role: "x_reader", member: "v-1", grantor: "x_manager", admin: false, inherit: "true", set: "false" },
    ...{ system: false, roleIssued: false, memberIssued: false },
    ...more,
  });
  const declared = new Set(["x_reader", "x_manager"]);
  const own = { declared, all: new Set([...declared, "terraform"]) };
  const found = (more: Partial<FoundMembership>) => membershipFootholds(OUTPUTS, own, [membership(more)]);

  test("of the engine's users come and go", () => {
    expect(found({ memberIssued: true })).toEqual([]);
    expect(found({ role: "v-1", member: OUTPUTS.postgres.manager, roleIssued: true })).toEqual([]);
  });

  test("of others in them, or of them in others, are found", () => {
    expect(found({ memberIssued: true, admin: true })).toHaveLength(1);
    expect(found({ memberIssued: true, role: "pg_signal_backend", system: true })).toHaveLength(1);
    expect(found({ role: "v-1", member: "v-2", roleIssued: true, memberIssued: true })).toHaveLength(1);
    expect(found({ member: "stranger" })).toEqual([
      { kind: "membership", identity: "stranger in x_reader by x_manager", detail: "INHERIT" },
    ]);
    expect(found({ role: "others", member: "strangers" })).toEqual([]);
  });

  test("are followed by however many steps, and not to other environments of the login that deploys", () => {
    const steps: readonly [member: string, role: string][] = [
      ["group", "x_reader"],
      ["team", "group"],
      ["person", "team"],
      ["x_reader", "wider"],
      ["wider", "widest"],
      ["terraform", "x_reader"],
      ["terraform", "y_reader"],
      ["somebody", "y_reader"],
    ];
    const all = steps.map(([member, role]) => membership({ member, role }));
    expect(membershipFootholds(OUTPUTS, own, all).map(({ identity }) => identity.split(" by ")[0])).toEqual([
      ...["group in x_reader", "team in group", "person in team"],
      ...["x_reader in wider", "wider in widest", "terraform in x_reader"],
    ]);
  });
});

test("values of settings that may be secret are not shown", () => {
  const settings = [
    { role: null, here: true, name: "search_path", value: "app", hash: "#3" },
    { role: "mine", here: false, name: "app.jwt_secret", value: "hidden", hash: "#6" },
    { role: "others", here: false, name: "app.x", value: "1", hash: "#1" },
  ];
  expect(settingFootholds({ declared: new Set(), all: new Set(["mine"]) }, settings)).toEqual([
    { kind: "setting", identity: "search_path of all in this database", detail: "app", hash: "#3" },
    { kind: "setting", identity: "app.jwt_secret of mine", detail: "", hash: "#6" },
  ]);
});

test("a line shows no character that steers a terminal or turns the text around", () => {
  const name = view("a\u001b[2J\n\u202eü", { hash: "0123456789abcdef" });
  expect(line(name)).toBe("view a\\u001b[2J\\u000a\\u202eü; owner o; 0123456789ab");
});

describe("a list that was kept", () => {
  let folder: string;
  beforeAll(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "footholds-"))));
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  const file = (name: string) => path.join(folder, name);
  const kept = { environment: "dev", database: "x", takenAt: "2026-01-01T00:00:00.000Z" };

  test("is read as it was written, one entry a line", () => {
    const whole = { ...kept, ...list([view("a"), view("b")], ["rule"]) };
    keep(file("a.json"), whole, false);
    expect(keptList(file("a.json"), "dev", "x")).toMatchObject(whole);
    expect(fs.readFileSync(file("a.json"), "utf8").match(/^ {4}\{"kind":"view".*\},?$/gm)).toHaveLength(2);
    keep(file("none.json"), { ...kept, ...list([]) }, false);
    expect(keptList(file("none.json"), "dev", "x").footholds).toEqual([]);
  });

  test.each([
    ["nothing.json", undefined, "cannot be read"],
    ["text.json", "[", "cannot be read"],
    ["null.json", "null", "holds no list"],
    ["entry.json", JSON.stringify({ format: 1, ...kept, ...list([]), footholds: [{}] }), "holds no list"],
    ["later.json", JSON.stringify({ format: 2, ...kept, ...list([]) }), "holds no list"],
    ["prod.json", JSON.stringify({ format: 1, ...kept, ...list([]), environment: "prod" }), '"prod"'],
    ["y.json", JSON.stringify({ format: 1, ...kept, ...list([]), database: "y" }), '"y"'],
  ])("%s is refused", (name, content, message) => {
    if (content !== undefined) fs.writeFileSync(file(name), content);
    expect(() => keptList(file(name), "dev", "x")).toThrow(message);
  });

  test("is not looked for without a login", async () => {
    const shell = new FakeShell({});
    expect(await main(["footholds", "dev"], shell)).toBe(2);
    expect(shell.err.join("\n")).toContain("This needs a login of PostgreSQL.\nSet PGUSER and PGPASSWORD");
  });
});

describe("the SQL that looks for footholds", () => {
  const kinds = QUERIES.flatMap((query) => query.kinds);

  test("finds kinds that the document explains, each once", () => {
    const text = fs.readFileSync(path.resolve(__dirname, "../../docs/security/leaked-owner.md"), "utf8");
    const rows = [...text.matchAll(/^\| (`.*?) +\|/gm)].map((match) => match[1] ?? "");
    const explained = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
    expect([...explained].sort()).toEqual([...kinds].sort());
    expect(new Set(kinds).size).toBe(kinds.length);
  });

  test.each([
    ...QUERIES.map(({ subject, sql }) => [subject, sql] as const),
    ["pg_cron", CRON_IS_GENUINE] as const,
    ["what is fetched of it", seen("SELECT")] as const,
  ])("finds %s by qualified names alone", (_subject, sql) => expect(lookups(sql)).toEqual([]));
});

describe("the statements of a hand-over", () => {
  const dependency = { identity: 'app."T"', owned: true, follows: false };
  const statements = (more: object) =>
    statementsFor({ ...dependency, type: "table", ...more }, "v-1", "base");

  test("change owners and revoke, and drop nothing but a policy for nobody else", () => {
    expect(statements({})).toEqual(['ALTER TABLE app."T" OWNER TO "base"']);
    expect(statements({ type: "procedure", identity: "app.p()" })).toEqual([
      'ALTER ROUTINE app.p() OWNER TO "base"',
    ]);
    expect(statements({ type: "view", owned: false })).toEqual([
      'REVOKE ALL ON TABLE app."T" FROM "v-1" CASCADE',
    ]);
    const policy = { name: "p", table: "app.t" };
    expect(statements({ type: "policy", policy: { ...policy, roles: ["v-1", "other"] } })).toEqual([
      'ALTER POLICY "p" ON app.t TO "other"',
    ]);
    expect(statements({ type: "policy", policy: { ...policy, roles: ["v-1"] } })).toEqual([
      'DROP POLICY "p" ON app.t',
    ]);
  });

  test("leave what follows a table, and what PostgreSQL lets nobody hand over, to the revocation", () => {
    expect(statements({ type: "sequence", follows: true })).toEqual([]);
    expect(statements({ type: "extension" })).toEqual([]);
    expect(statements({ type: "user mapping" })).toEqual([]);
  });

  test("take default privileges back: a user's own from all, others' from the user", () => {
    const defaults = { schema: "app", on: "r", grantees: [null, 'a"b'] };
    expect(statements({ type: "default acl", defaults: { ...defaults, maker: "v-1" } })).toEqual([
      'ALTER DEFAULT PRIVILEGES FOR ROLE "v-1" IN SCHEMA "app" REVOKE ALL ON TABLES FROM PUBLIC',
      'ALTER DEFAULT PRIVILEGES FOR ROLE "v-1" IN SCHEMA "app" REVOKE ALL ON TABLES FROM "a""b"',
    ]);
    expect(
      statements({ type: "default acl", owned: false, defaults: { ...defaults, maker: "base" } }),
    ).toEqual(['ALTER DEFAULT PRIVILEGES FOR ROLE "base" IN SCHEMA "app" REVOKE ALL ON TABLES FROM "v-1"']);
    expect(statements({ defaults: { ...defaults, maker: "v-1", schema: null } })).toEqual([]);
  });
});
