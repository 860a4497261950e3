import fc from "fast-check";
import { settingDifferences } from "../../cli/approle-survey";
import type { DatabaseUser } from "../../cli/database-users";
import type { Lease } from "../../cli/leases";
import { countOf, endingRemedy, leftAnnouncement, mayBeOf, withoutLease } from "../../cli/left-users";
import { match, parseUserName } from "../../cli/matching";
import { rolesOpenedBy } from "../../cli/undeclared-approles";
import { scopeOf } from "../../cli/revocation-target";
import { roleDifferences } from "../../cli/role-differences";
import type { AppRoleSettings } from "../../stacks/outputs";
import { statementsDigest } from "../../stacks/statements-digest";
import { OUTPUTS, SECOND } from "./operator-outputs";

const START = 1_795_380_000;

function user(role: string, seconds: number, changes: Partial<DatabaseUser> = {}): DatabaseUser {
  const random = Math.random().toString(36).slice(2).padEnd(20, "A").slice(0, 20);
  return {
    name: `v-token-or-${role.slice(0, 8)}-${random}-${START + seconds}`,
    oid: Math.floor(Math.random() * 1e9),
    baseRoles: [`x_${role}`],
    validUntil: 0,
    ...{ sessions: 0, pids: [], isManaged: true },
    ...changes,
  };
}

function lease(role: string, seconds: number): Lease {
  const issuedAt = (START + seconds) * SECOND;
  const id = `x/database/creds/${role}/${Math.random().toString(36).slice(2)}`;
  return { id, role, issuedAt, expiresAt: issuedAt + 3_600 * SECOND, ttlSeconds: 3_600 };
}

describe("a role of the engine", () => {
  const declared = OUTPUTS.roles.reader!;
  const role = {
    ...{ name: "reader", connection: "x", defaultTtl: 3_600, maxTtl: 86_400 },
    ...{ creation: ["CREATE …"], renewal: [], revocation: ["DROP …"] },
    credential: { type: "password", config: {} },
  };
  const differences = (changes: object, statements?: object) =>
    roleDifferences(OUTPUTS, { ...declared, ...(statements && { statements }) }, { ...role, ...changes });

  test.each([
    [{}, []],
    [{ credential: { type: "", config: {} } }, []],
    [
      { credential: { type: "rsa_private_key", config: { key_bits: "2048" } } },
      [
        "its credential type (credential_type) is rsa_private_key, not password",
        "its credential_config has another key_bits",
      ],
    ],
    [
      { credential: { type: "password", config: { password_policy: "weak" } } },
      ["its credential_config has another password_policy"],
    ],
    [{ defaultTtl: 60 }, ["its default TTL is 60 s, not 3600 s"]],
    [{ maxTtl: 0 }, ["its maximum TTL is 0 s, not 86400 s"]],
    [{ connection: "y" }, ["it is on the connection y, not x"]],
    [{ creation: [], revocation: [] }, ["it has no creation SQL", "it has no revocation SQL"]],
  ])("that a deployment of before tells no SQL of: %j", (changes, expected) => {
    expect(differences(changes)).toEqual(expected);
  });

  test("has the SQL that was declared, but for space around it, which the engine takes away", () => {
    const digests = {
      creation: statementsDigest(["\nCREATE …\n"]),
      renewal: statementsDigest(["ALTER …"]),
      revocation: statementsDigest(["DROP …"]),
    };
    expect(differences({ renewal: ["ALTER …"] }, digests)).toEqual([]);
    expect(differences({ renewal: ["ALTER …"], revocation: ["SELECT 1"] }, digests)).toEqual([
      "its revocation SQL is another",
    ]);
    expect(differences({}, digests)).toEqual(["it has no renewal SQL"]);
  });
});

describe("an AppRole of the auth method", () => {
  const declared = OUTPUTS.approles.reports!.settings as Required<AppRoleSettings>;

  test.each<[networks: readonly string[], found: readonly string[]]>([
    [["10.0.0.1/32"], ["10.0.0.1"]],
    [
      ["2001:DB8:0::1/128", "10.0.0.0/8"],
      ["10.0.0.0/8", "2001:db8::1"],
    ],
    [["2001:db8::/32"], ["2001:db8::/32"]],
    [[], []],
  ])("has the networks %j in other spellings: %j", (wanted, found) => {
    for (const name of ["token_bound_cidrs", "secret_id_bound_cidrs"]) {
      expect(settingDifferences({ [name]: wanted }, { ...declared, [name]: found })).toEqual([]);
    }
  });

  test.each<[wanted: AppRoleSettings, found: AppRoleSettings, differences: readonly string[]]>([
    [
      { token_bound_cidrs: ["2001:db8::/32"] },
      { token_bound_cidrs: ["2001:db8::"] },
      ["token_bound_cidrs is 2001:db8::, not 2001:db8::/32"],
    ],
    [
      { token_bound_cidrs: ["10.0.0.0/8"] },
      { token_bound_cidrs: [] },
      ["token_bound_cidrs is none, not 10.0.0.0/8"],
    ],
    [{ token_policies: ["b", "a"] }, { token_policies: ["a", "b"] }, []],
    [{ token_policies: ["a"] }, { token_policies: ["a", "b"] }, ["token_policies is a b, not a"]],
    [{}, { token_ttl: 1, bind_secret_id: false }, []],
  ])("declared with %j and found with %j", (wanted, found, differences) => {
    expect(settingDifferences(wanted, { ...declared, ...found })).toEqual(differences);
  });
});

const names = (users: readonly { name: string }[]) => users.map(({ name }) => name);
const ids = (leases: readonly { id: string }[]) => leases.map(({ id }) => id);

describe("a user's name", () => {
  test.each([
    ["v-root-a-long-r-3OVDu3ChGqGEtGmBOq7a-1795380246", "a-long-role", true],
    ["v-shop-loc-reader-2-KxNNJZ0TJxNtvzJgLu41-1795381440", "reader-2", true],
    ["v-shop-loc-reader-2-KxNNJZ0TJxNtvzJgLu41-1795381440", "reader", false],
    ["v-shop-loc-reader-ljdXrjZFE3gNuz625may-1795381440", "reader-2", false],
  ])("%s is one of %s: %s", (name, role, expected) => {
    expect(parseUserName(name)?.hasRole(role)).toBe(expected);
    expect(parseUserName(name)?.madeAt).toBe(Number(name.slice(-10)) * SECOND);
  });

  test.each(["stray", "v-root-reader-short-1795380246", "v-root-reader-3OVDu3ChGqGEtGmBOq7a-17953", "v--x"])(
    "%s tells nothing",
    (name) => {
      expect(parseUserName(name)).toBeUndefined();
    },
  );
});

describe("users and leases", () => {
  test("belong together by role and time", () => {
    const users = [user("reader", 0), user("writer", 0), user("reader", 30)];
    const leases = [lease("reader", 0.4), lease("writer", 0.4), lease("reader", 31.2)];
    const found = match(OUTPUTS, users, leases);
    expect(leases.map(({ id }) => found.userOfLease.get(id)?.name)).toEqual(names(users));
    expect(found).toMatchObject({ usersWithoutLease: [], leasesWithoutUser: [], together: [] });
  });

  test("of the same moment cannot be told apart, and none is missing", () => {
    const users = [user("reader", 0), user("reader", 1)];
    const leases = [lease("reader", 0.5), lease("reader", 1.5)];
    const found = match(OUTPUTS, users, leases);
    expect(found.userOfLease.size).toBe(0);
    expect(found.together).toHaveLength(1);
    expect(names(found.together[0]?.users ?? []).sort()).toEqual(names(users).sort());
    expect(ids(found.together[0]?.leases ?? []).sort()).toEqual(ids(leases).sort());
  });

  test("that nothing belongs to are told", () => {
    const stray = user("reader", 500);
    const lonely = lease("writer", 0);
    const found = match(OUTPUTS, [user("reader", 0), stray], [lease("reader", 0.1), lonely]);
    expect(names(found.usersWithoutLease)).toEqual([stray.name]);
    expect(ids(found.leasesWithoutUser)).toEqual([lonely.id]);
  });

  test("belong together also where the server was slow", () => {
    const slow = lease("reader", 25);
    const made = user("reader", 0);
    expect(match(OUTPUTS, [made], [slow]).userOfLease.get(slow.id)?.name).toBe(made.name);
  });

  test("do not where the user was made after the lease, or is a member of another base role", () => {
    expect(match(OUTPUTS, [user("reader", 10)], [lease("reader", 0)]).usersWithoutLease).toHaveLength(1);
    const elsewhere = user("reader", 0, { baseRoles: ["y_reader"] });
    expect(match(OUTPUTS, [elsewhere], [lease("reader", 0)]).usersWithoutLease).toHaveLength(1);
  });

  test("belong together though the base role was taken away, or is that of a role that is not declared", () => {
    const bare = user("reader", 0, { baseRoles: [] });
    const former = user("former", 30, { baseRoles: ["x_former"] });
    const leases = [lease("reader", 0.2), lease("former", 30.2)];
    const found = match(OUTPUTS, [bare, former], leases);
    expect(leases.map(({ id }) => found.userOfLease.get(id)?.name)).toEqual(names([bare, former]));
    expect(found).toMatchObject({ usersWithoutLease: [], leasesWithoutUser: [] });
    const unread = user("former", 30, { baseRoles: ["x_former"], name: "app_1" });
    expect(match(OUTPUTS, [unread], [lease("former", 30)]).usersWithoutLease).toEqual([]);
    expect(match(OUTPUTS, [unread], [lease("reader", 30)]).usersWithoutLease).toEqual([unread]);
  });

  test("with names of one's own template are only counted", () => {
    const users = [user("reader", 0, { name: "app_1" }), user("reader", 0, { name: "app_2" })];
    const leases = [lease("reader", 0), lease("reader", 5_000), lease("reader", 9_000)];
    expect(match(OUTPUTS, users.slice(1), leases.slice(1, 2)).userOfLease.size).toBe(0);
    const [together, ...more] = match(OUTPUTS, users, leases).together;
    expect(more).toEqual([]);
    expect(together?.users).toHaveLength(2);
    expect(together?.leases).toHaveLength(3);
  });

  test("are each in one place, whatever there is", () => {
    const roles = fc.constantFrom("reader", "writer");
    const seconds = fc.integer({ min: 0, max: 120 });
    const things = fc.array(fc.tuple(roles, seconds), { maxLength: 12 });
    fc.assert(
      fc.property(things, things, (some, others) => {
        const users = some.map(([role, time]) => user(role, time));
        const leases = others.map(([role, time]) => lease(role, time));
        const found = match(OUTPUTS, users, leases);
        const seenUsers = [
          ...[...found.userOfLease.values()],
          ...found.usersWithoutLease,
          ...found.together.flatMap((group) => group.users),
        ];
        const seenLeases = [
          ...found.userOfLease.keys(),
          ...ids(found.leasesWithoutUser),
          ...found.together.flatMap((group) => ids(group.leases)),
        ];
        expect(names(seenUsers).sort()).toEqual(names(users).sort());
        expect([...seenLeases].sort()).toEqual(ids(leases).sort());
      }),
    );
  });
});

describe("of an AppRole that is to be ended", () => {
  const scope = (name: string, leaseIds: readonly string[], irrevocable: readonly string[] = []) =>
    scopeOf(
      OUTPUTS,
      { leaseIds, irrevocable: irrevocable.map((id) => ({ id, error: "" })) },
      { kind: "approle", name },
    );

  test("no lease of its roles is for certain its own, whoever else is known to read them", () => {
    const [reader, writer] = ["reader", "writer"].map((role) => lease(role, 0).id) as [string, string];
    expect(scope("api", [reader, writer])).toMatchObject({ certain: [], possible: [reader, writer] });
    expect(scope("reports", [reader, writer])).toMatchObject({ certain: [], possible: [reader] });
  });

  test("leases of its roles that were given up to revoke end, also where others read them", () => {
    const given = ["reader", "writer"].map((role) => `x/database/creds/${role}/given`);
    const { id } = lease("reader", 0);
    expect(scope("api", [id, ...given], given)).toMatchObject({ certain: given, possible: [id] });
    expect(scope("reports", [id, ...given], given)).toMatchObject({ certain: [given[0]], possible: [id] });
  });
});

test("a role is read by its policy, and by one that another stack has for its own reader", () => {
  const own = "x/database/creds/writer.for.x.approle.team-reports-24627b00";
  expect(rolesOpenedBy(OUTPUTS, new Set([own, "default"]))).toEqual(["writer"]);
  expect(rolesOpenedBy(OUTPUTS, new Set(["x/database/creds/reader"]))).toEqual(["reader"]);
  expect(
    rolesOpenedBy(OUTPUTS, new Set(["x/database/creds/reader-2", "x/database/creds/writers.for.x"])),
  ).toEqual([]);
});

describe("users without a lease", () => {
  test("of those that were made together are as many as there are leases too few", () => {
    const [first, second, third] = [user("reader", 0), user("reader", 1), user("writer", 0)];
    const found = withoutLease(match(OUTPUTS, [first, second, third], [lease("reader", 0.5)]));
    expect(names(found.certain)).toEqual([third.name]);
    expect(found.untold).toMatchObject([{ users: [first, second], count: 1, role: "reader" }]);
    expect(countOf(found)).toBe(2);
    const remedy = endingRemedy("dev", OUTPUTS, found);
    expect(remedy).toContain(`DROP ROLE "${third.name}";`);
    // One of these has a lease, and is not to be dropped.
    expect(remedy).not.toContain(`DROP ROLE "${first.name}"`);
    expect(remedy).toMatch(
      /^ *1 of v-\S+ and v-\S+, made together with 1 [^]*revoke dev --role reader ends these/m,
    );
  });

  test("are none where there is a lease for each", () => {
    const found = withoutLease(match(OUTPUTS, [user("reader", 0)], [lease("reader", 0.5)]));
    expect(countOf(found)).toBe(0);
    expect(leftAnnouncement(OUTPUTS, "https://v", found, false)).toBe("");
  });

  test("are ended with what they own given to the base role, if that can be told", () => {
    const quoted = { ...user("reader", 0), name: `a"b'c` };
    const remedy = (one: DatabaseUser) => endingRemedy("dev", OUTPUTS, { certain: [one], untold: [] });
    expect(remedy(quoted)).toContain(
      'REASSIGN OWNED BY "a""b\'c" TO "x_reader"; DROP OWNED BY "a""b\'c"; DROP ROLE',
    );
    expect(remedy(user("reader", 0, { baseRoles: [] }))).toContain('TO "x_reader"; DROP OWNED');
    // PostgreSQL refuses to drop one that owns something.
    expect(remedy({ ...quoted, baseRoles: [] })).not.toMatch(/OWNED/);
  });

  test("are told with the SQL of twenty, and the number of others", () => {
    const certain = Array.from({ length: 25 }, (_, index) => user("reader", index));
    const lines = endingRemedy("dev", OUTPUTS, { certain, untold: [] }).split("\n");
    expect(lines.filter((line) => line.includes("DROP ROLE"))).toHaveLength(20);
    expect(lines.at(-1)?.trim()).toBe("and so for 5 others.");
  });

  test.each([
    ["reader", user("reader", 0), true],
    ["reader", user("writer", 0), false],
    ["reader", user("reader", 0, { baseRoles: ["x_writer"] }), false],
    ["reader", user("reader", 0, { baseRoles: [] }), true],
    ["reader", { ...user("reader", 0), name: "own" }, true],
    ["former", { ...user("former", 0), name: "own" }, false],
    ["former", user("former", 0), true],
  ])("may be of %s", (role, one, expected) => {
    expect(mayBeOf(OUTPUTS, role)(one)).toBe(expected);
  });
});
