import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { main } from "../../cli/main";
import type { KeptList } from "../../cli/footholds/file";
import { CODE } from "../../cli/footholds/code";
import type { Difference, Foothold } from "../../cli/footholds/foothold";
import { NAMES } from "../../cli/footholds/names";
import { OUTSIDE } from "../../cli/footholds/outside";
import type { Found } from "../../cli/footholds/sql";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser, connect } from "../e2e/credential";
import { DATABASE, Scenario, type Group } from "../e2e/operator-scenario";
import { FakeShell } from "../sandbox/fake-shell";
import { BEFORE, BY_OWNER, BY_SUPERUSER, TRAPS, type Planted } from "./planted-footholds";
import { FULL, postgresToTry } from "./servers";

jest.setTimeout(FULL ? 600_000 : 180_000);

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

type Answer = KeptList & Partial<Difference> & { readonly code: number; readonly text: string };

describe.each(postgresToTry)("on $name", ({ name, binDirectory }) => {
  let sandbox: Sandbox;
  let scenario: Scenario;
  let migrations: Group;
  let kept: string;
  let version: number;

  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce, postgresBinDirectory: binDirectory() });
    version = parseInt(sandbox.postgres.version);
    await asSuperuser(sandbox, "ALTER SYSTEM SET max_prepared_transactions = 5");
    await sandbox.postgres.stop();
    await sandbox.postgres.start();
    scenario = new Scenario(sandbox);
    await scenario.deploy();
    fs.writeFileSync(file("outputs.json"), JSON.stringify({ local: scenario.outputs }));
    kept = file("kept.json");
    migrations = await scenario.enter("migrations");
    await asSuperuser(sandbox, "CREATE ROLE stranger");
    await byOwner(BEFORE);
  });
  afterAll(() => sandbox?.stop());

  const file = (name: string) => path.join(sandbox.directory, name);

  /** Runs the command, and returns what it answers with JSON. */
  async function footholds(args: readonly string[] = [], changes: NodeJS.ProcessEnv = {}): Promise<Answer> {
    const shell = new FakeShell({ ...scenario.variables(), ...changes });
    const all = ["footholds", "local", "--outputs", file("outputs.json"), ...args, "--json"];
    const code = await main(all, shell);
    const text = [...shell.out, ...shell.err].join("\n");
    return {
      ...(shell.out.length > 0 && (JSON.parse(shell.out.join("\n")) as KeptList)),
      code,
      text,
    } as Answer;
  }
  const compare = () => footholds(["--compare", kept]);

  /** By a credential that is then revoked, as its base role. */
  async function byOwner(statements: readonly string[]): Promise<void> {
    const { client, credential } = await migrations.session("owner");
    for (const statement of statements) await client.query(statement);
    await client.end();
    await sandbox.vault.client().write("sys/leases/revoke", { lease_id: credential.leaseId, sync: true });
  }

  async function bySuperuser(statements: readonly string[]): Promise<void> {
    const client = await sandbox.postgres.connect(DATABASE);
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  const statements = (planted: readonly Planted[], part: "plant" | "remove") => {
    const there = planted.filter(({ since = 0 }) => version >= since);
    return (part === "plant" ? there : [...there].reverse()).flatMap((entry) => entry[part]);
  };
  const named = (list: readonly Foothold[]) => list.map(({ kind, identity }) => `${kind} ${identity}`);
  const expected = (planted: readonly Planted[]) =>
    planted.filter(({ since = 0 }) => version >= since).map(({ found }) => found.join(" "));

  test("the operator's login is told what it lacks, and then suffices", async () => {
    const refused = await footholds();
    expect(refused.code).toBe(2);
    expect(refused.text).toContain(
      `GRANT CONNECT ON DATABASE "${DATABASE}" TO "${sandbox.operator.postgresUser}"`,
    );
    const deployer = { PGUSER: sandbox.deployer.postgresUser, PGPASSWORD: sandbox.deployer.postgresPassword };
    expect(await footholds([], deployer)).toMatchObject({ code: 0, notLookedAt: [] });
    await asSuperuser(sandbox, `GRANT CONNECT ON DATABASE ${DATABASE} TO ${sandbox.operator.postgresUser}`);
    expect(await footholds([], deployer)).toMatchObject({ code: 0, notLookedAt: [] });
    expect(await footholds()).toMatchObject({ code: 0, notLookedAt: [] });
  });

  test("a database in use differs from itself in nothing: credentials come and go", async () => {
    expect((await footholds(["--save", kept])).code).toBe(0);
    expect(await compare()).toMatchObject({ code: 0, added: [], changed: [], removed: [] });
    const reports = await scenario.enter("reports");
    const api = await scenario.enter("api");
    const sessions = [
      await migrations.session("owner"),
      await reports.session("reader"),
      await api.session("writer"),
    ];
    await sessions[0]!.client.query(
      "CREATE TABLE app.another (id serial PRIMARY KEY, at timestamptz DEFAULT now())",
    );
    expect(await compare()).toMatchObject({ code: 0, added: [], changed: [], removed: [] });
    await Promise.all(sessions.map(({ client }) => client.end()));
    await scenario.run("revoke", ["--all", "--yes"]);
    expect(await compare()).toMatchObject({ code: 0, added: [], changed: [], removed: [] });
  });

  test("what an owner left is found, each kind of it, and is gone when it is removed", async () => {
    await byOwner(statements(BY_OWNER, "plant"));
    const answer = await compare();
    expect(answer.code).toBe(1);
    const found = [...named(answer.added ?? []), ...named((answer.changed ?? []).map(({ after }) => after))];
    expect(found).toEqual(expect.arrayContaining(expected(BY_OWNER)));
    expect(answer.removed).toEqual([]);
    const definer = answer.added?.find(({ identity }) => identity === "app.definer()");
    expect(definer).toMatchObject({
      owner: "shop_local_owner",
      detail: "SECURITY DEFINER; no search_path; language sql; EXECUTE: PUBLIC",
    });
    await byOwner(statements(BY_OWNER, "remove"));
    expect(await compare()).toMatchObject({ code: 0, added: [], changed: [], removed: [] });
  });

  test("what it takes a superuser to leave is found, too, and no secret is shown", async () => {
    await bySuperuser(statements(BY_SUPERUSER, "plant"));
    const answer = await compare();
    expect(answer.code).toBe(1);
    const found = [...named(answer.added ?? []), ...named((answer.changed ?? []).map(({ after }) => after))];
    expect(found).toEqual(expect.arrayContaining(expected(BY_SUPERUSER)));
    expect(answer.text).not.toMatch(/hidden-(one|two)/);
    await bySuperuser(statements(BY_SUPERUSER, "remove"));
    expect(await compare()).toMatchObject({ code: 0, added: [], changed: [], removed: [] });
  });

  test("what is hashed by the server has the hash that lists of before have", async () => {
    const client = await sandbox.postgres.connect(DATABASE);
    try {
      await client.query("ALTER ROLE shop_local_reader SET app.secret = 'ü=1'");
      await client.query("SET search_path = pg_catalog, pg_temp");
      const now = await footholds();
      let compared = 0;
      for (const { sql } of [...CODE, ...NAMES, ...OUTSIDE].filter(({ since = 0 }) => version >= since)) {
        const { rows } = await client.query<Found>(sql);
        for (const { kind, identity, definition } of rows.filter((row) => row.definition !== null)) {
          const found = now.footholds.find((each) => each.kind === kind && each.identity === identity);
          expect([identity, found?.hash]).toEqual([identity, sha256(definition!)]);
          compared++;
        }
      }
      expect(compared).toBeGreaterThan(5);
      const setting = now.footholds.find(({ identity }) => identity === "app.secret of shop_local_reader");
      expect(setting).toMatchObject({ detail: "", hash: sha256("ü=1") });
    } finally {
      await client.query("ALTER ROLE shop_local_reader RESET app.secret");
      await client.end();
    }
  });

  test("what somebody has made longer than a program can take is found all the same", async () => {
    // Node takes texts of 512 MiB. On one server: that takes minutes to make, and a path even more.
    const isWhole = FULL && !name.startsWith("PostgreSQL");
    const megabytes = isWhole ? 600 : 2;
    const setting = isWhole ? "app.x" : "search_path";
    const body = `repeat('-- ü\n' || repeat('x', 1048570), ${megabytes})`;
    const make = (more: string) => `SET check_function_bodies = off; DO $do$ BEGIN
      EXECUTE 'CREATE OR REPLACE FUNCTION app.long() RETURNS int LANGUAGE sql SET search_path = app SECURITY DEFINER AS $body$SELECT 1 /*'
        || ${body} || '*/${more}$body$';
      PERFORM set_config('${setting}', '"' || ${body} || '${more}"', true);
      ALTER ROLE shop_local_reader SET ${setting} FROM CURRENT; PERFORM set_config('${setting}', '', true);
    END $do$`;
    await bySuperuser([make("")]);
    const before = await footholds();
    expect(before.notLookedAt).toEqual([]);
    const long = before.footholds.filter(
      ({ identity }) => identity === "app.long()" || identity === `${setting} of shop_local_reader`,
    );
    expect(named(long)).toEqual(["function app.long()", `setting ${setting} of shop_local_reader`]);
    for (const { hash, detail } of long) {
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(detail.length).toBeLessThan(2_100);
    }
    if (!isWhole) {
      const list = file("long.json");
      expect((await footholds(["--save", list])).code).toBe(0);
      await bySuperuser([make(" ")]);
      const after = await footholds(["--compare", list]);
      expect(named(after.changed!.map((change) => change.after))).toEqual(named(long));
    }
    await bySuperuser(["DROP FUNCTION app.long", `ALTER ROLE shop_local_reader RESET ${setting}`]);
    expect((await compare()).code).toBe(0);
  });

  test("what was removed since is found", async () => {
    await byOwner(["DROP POLICY kept ON app.t", "DROP TRIGGER usual ON app.t"]);
    const answer = await compare();
    expect(answer).toMatchObject({ code: 1, added: [], changed: [] });
    expect(named(answer.removed ?? [])).toEqual(["policy kept on app.t", "trigger usual on app.t"]);
    await byOwner([BEFORE[8]!, BEFORE[6]!]);
    expect((await compare()).code).toBe(0);
  });

  test("PUBLIC that gets back what was taken from it is found", async () => {
    await byOwner([
      "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
      "CREATE TYPE app.closed AS ENUM ('a')",
      "REVOKE USAGE ON TYPE app.closed FROM PUBLIC",
    ]);
    const closed = file("closed.json");
    expect((await footholds(["--save", closed])).code).toBe(0);
    await byOwner([
      "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
      "DROP TYPE app.closed",
      "CREATE TYPE app.closed AS ENUM ('a')",
    ]);
    const answer = await footholds(["--compare", closed]);
    expect(answer).toMatchObject({ code: 1, added: [], changed: [] });
    expect((answer.removed ?? []).map(({ kind, identity, detail }) => [kind, identity, detail])).toEqual([
      ["default privilege", "PUBLIC on functions made by shop_local_owner", "without EXECUTE"],
      ["privilege", "PUBLIC on type app.closed", "without USAGE"],
    ]);
    await byOwner(["DROP TYPE app.closed"]);
    expect((await compare()).code).toBe(0);
  });

  test("a transaction in two phases that waits for its end is found", async () => {
    const { client, credential } = await migrations.session("owner");
    await client.query("BEGIN");
    await client.query("INSERT INTO app.t (x) VALUES ('waits')");
    await client.query("PREPARE TRANSACTION 'it''s'");
    await client.end();
    const answer = await compare();
    expect(named(answer.added ?? [])).toEqual(["prepared transaction 'it''s'"]);
    await bySuperuser(["ROLLBACK PREPARED 'it''s'"]);
    await sandbox.vault.client().write("sys/leases/revoke", { lease_id: credential.leaseId, sync: true });
    expect((await compare()).code).toBe(0);
  });

  test("what cannot be looked at is said, and is not the same as no difference", async () => {
    const client = await sandbox.postgres.connect(DATABASE);
    await client.query("BEGIN");
    await client.query("SET LOCAL lock_timeout = '5s'");
    await client.query("LOCK TABLE app.t IN ACCESS EXCLUSIVE MODE");
    const locked = await compare();
    await client.query("ROLLBACK");
    await client.end();
    // What PostgreSQL locks to show a definition differs from version to version.
    expect(locked).toMatchObject({ code: 2, added: [], changed: [], removed: [] });
    expect(locked.notLookedAt).toContainEqual(expect.stringMatching(/^Not looked at: views\..*lock timeout/));

    await bySuperuser(["CREATE FOREIGN DATA WRAPPER dummy", "CREATE SERVER s FOREIGN DATA WRAPPER dummy"]);
    await bySuperuser(["CREATE USER MAPPING FOR postgres SERVER s OPTIONS (password 'hidden')"]);
    const hidden = file("hidden.json");
    expect((await footholds(["--save", hidden])).code).toBe(2);
    const answer = await footholds(["--compare", hidden]);
    expect(answer).toMatchObject({ code: 2, added: [], changed: [], removed: [] });
    expect(answer.notLookedAt[0]).toBe(
      "Not looked at: the options of the user mapping postgres on server s, hidden from this login.",
    );
    await bySuperuser(["DROP FOREIGN DATA WRAPPER dummy CASCADE"]);
    expect((await compare()).code).toBe(0);
  });

  test("nothing that was planted to be found by name runs", async () => {
    await bySuperuser(TRAPS);
    const answer = await compare();
    expect(answer.notLookedAt).toEqual([]);
    expect(answer.code).toBe(1);
    expect(named(answer.added ?? [])).toContain("operator public.=(pg_catalog.oid,pg_catalog.oid)");
    await bySuperuser([
      "DROP TABLE public.pg_roles",
      `DO $$ DECLARE f regprocedure; BEGIN FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace
         LOOP EXECUTE format('DROP FUNCTION %s CASCADE', f); END LOOP; END $$`,
    ]);
    expect((await compare()).code).toBe(0);
  });

  test("a list of something else is refused, and one that is there is not replaced", async () => {
    const other = file("other.json");
    fs.writeFileSync(
      other,
      fs.readFileSync(kept, "utf8").replace('"environment":"local"', '"environment":"prod"'),
    );
    expect((await footholds(["--compare", other])).text).toContain('is of the environment "prod"');
    fs.writeFileSync(other, "{}");
    expect((await footholds(["--compare", other])).text).toContain("holds no list of footholds");
    // What a list says that it knows nothing of is not compared, which is no agreement.
    const list = JSON.parse(fs.readFileSync(kept, "utf8")) as KeptList;
    fs.writeFileSync(other, JSON.stringify({ ...list, unknownKinds: ["function"] }));
    const blind = await footholds(["--compare", other]);
    expect(blind).toMatchObject({ code: 2, added: [], changed: [], removed: [] });
    expect(blind.notLookedAt).toEqual([
      `Not compared, since ${other} says that it knows nothing of them: function.`,
    ]);
    const again = await footholds(["--save", kept]);
    expect(again).toMatchObject({ code: 2 });
    expect(again.text).toContain("is there already");
    expect((await footholds(["--save", kept, "--force"])).code).toBe(0);
    expect(fs.statSync(kept).mode & 0o777).toBe(0o600);
  });

  test("a name that would steer a terminal is shown as codes", async () => {
    await byOwner([`CREATE VIEW app."a\u001b[2Jb" AS SELECT 1`]);
    const shell = new FakeShell(scenario.variables());
    const args = ["footholds", "local", "--outputs", file("outputs.json"), "--compare", kept];
    expect(await main(args, shell)).toBe(1);
    expect(shell.out.join("\n")).toContain(
      'added    view app."a\\u001b[2Jb"; owner shop_local_owner; acts as its owner',
    );
    expect(shell.out.join("\n")).toContain("1 difference: 1 added, 0 changed, 0 removed.");
    await byOwner([`DROP VIEW app."a\u001b[2Jb"`]);
    expect(await connectable()).toBe(true);
  });

  const connectable = async () => {
    const { client, credential } = await migrations.session("owner");
    await client.end();
    const again = await connect(sandbox, credential, DATABASE);
    await again.end();
    return true;
  };
});
