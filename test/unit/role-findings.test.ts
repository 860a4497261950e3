import type { DatabaseUser } from "../../cli/database-users";
import type { EngineRole } from "../../cli/engine-roles";
import type { Inventory } from "../../cli/inventory";
import { roleFindings } from "../../cli/role-findings";
import { withStripped } from "../../cli/stripped-users";
import { OUTPUTS } from "./operator-outputs";

const user: DatabaseUser = {
  ...{ name: "v-abcdef-reader-aaaaaaaaaaaaaaaaaaaa-1700000000", oid: 7, baseRoles: [] },
  ...{ validUntil: Infinity, sessions: 0, pids: [], isManaged: true },
};
const engineRoles = (creation: string) => {
  const role: EngineRole = {
    ...{ name: "reader", connection: "x", defaultTtl: 60, maxTtl: 60 },
    ...{ creation: [creation], renewal: [], revocation: [] },
    credential: { type: "password", config: {} },
  };
  return new Map([["reader", role]]);
};

describe("a user that is a member of nothing", () => {
  const given = { id: "x/database/creds/reader/1", error: "" };
  const stripped = (creation: string, irrevocable = [given], isManaged = true) =>
    withStripped(
      OUTPUTS,
      [{ ...user, isManaged }],
      { irrevocable } as unknown as Inventory,
      engineRoles(creation),
    )[0]?.shut;

  test("was stripped, if its role makes users members of the base role", () => {
    expect(stripped('CREATE ROLE "{{name}}" IN ROLE "x_reader"')).toBe("stripped");
  });

  test("was not, if the engine's login may not change it", () => {
    expect(stripped('CREATE ROLE "{{name}}" IN ROLE "x_reader"', [given], false)).toBeUndefined();
  });

  test("was not, if its role does not, or no lease is kept", () => {
    expect(stripped('CREATE ROLE "{{name}}"')).toBeUndefined();
    expect(stripped('CREATE ROLE "{{name}}" IN ROLE "x_reader"', [])).toBeUndefined();
    expect(stripped('IN ROLE "x_reader"', [{ ...given, id: "x/database/creds/writer/1" }])).toBeUndefined();
  });
});

describe("rights that were not declared", () => {
  const role = { name: user.name, oid: 7, schemas: 0, connects: true };
  const found = (creation: string, name = user.name) => {
    const roles = [{ ...role, name, attributes: ["CREATEDB", "LOGIN"], memberOf: ["pg_monitor"] }];
    const users = name === user.name ? [{ ...user, baseRoles: ["pg_monitor"] }] : [];
    return roleFindings(OUTPUTS, { roles, publicRights: [] }, users, engineRoles(creation), "deploy");
  };

  test("are those that the SQL of a user's role does not name", () => {
    expect(found('CREATE ROLE "{{name}}" NOCREATEDB LOGIN')).toMatchObject([
      {
        kind: "excess-right",
        detail: expect.stringContaining("CREATEDB and is a member of pg_monitor") as string,
      },
    ]);
    expect(found('CREATE ROLE "{{name}}" CREATEDB LOGIN IN ROLE pg_monitor')).toEqual([]);
  });

  test("are none of a static role's login that was there before, nor of the engine's memberships", () => {
    expect(found("", "x_legacy")).toEqual([]);
    expect(found("", "x_manager")).toMatchObject([
      { detail: "the engine's login has CREATEDB, which was not declared" },
    ]);
  });
});
