import { TerraformVariable } from "cdktf";
import fc from "fast-check";
import {
  lowercaseVaultName,
  postgresIdentifier,
  postgresRoleName,
  vaultName,
  vaultPath,
} from "../../lib/names";
import { synthesize } from "./synthesis";

describe("PostgreSQL identifiers", () => {
  test.each([
    "orders",
    "Orders 2024",
    "bestellungen_ü",
    "a.b",
    "it's",
    "$tag$",
    "x".repeat(63),
    "ü".repeat(31),
  ])("accepts %p", (name) => expect(postgresIdentifier("database", name)).toBe(name));

  test.each([
    ["", /has no name/],
    ["x".repeat(64), /is 64 bytes long/],
    ["ü".repeat(32), /is 64 bytes long/],
    ["a\nb", /control character/],
    ["a\u0000b", /control character/],
    ["\ud800", /not valid Unicode/],
    ['a"b', /holds "\\""/],
    ["a;b", /holds ";"/],
    ["{{name}}", /holds "\{\{"/],
    ["${x}", /holds "\$\{"/],
    ["%{x}", /holds "%\{"/],
  ])("refuses %p", (name, message) => {
    expect(() => postgresIdentifier("database", name)).toThrow(message);
  });

  test.each(["pg_admin", "PG_x", "public", "PUBLIC", "none"])("refuses the reserved role name %p", (name) => {
    expect(() => postgresRoleName("base role", name)).toThrow(/reserved by PostgreSQL/);
  });

  test("lets values pass that only Terraform knows", () => {
    synthesize((stack) => {
      const name = new TerraformVariable(stack, "name", { type: "string" }).stringValue;
      expect(postgresIdentifier("database", name)).toBe(name);
      expect(vaultPath("secrets engine", name)).toBe(name);
    });
  });

  test("an accepted name holds nothing that an engine or Terraform would read as its own", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 70 }), (name) => {
        let accepted = true;
        try {
          postgresIdentifier("role", name);
        } catch {
          accepted = false;
        }
        const harmless =
          !/[;"\\\p{Cc}\p{Cs}]|\{\{|\}\}|\$\{|%\{/u.test(name) && Buffer.byteLength(name) <= 63;
        return !accepted || (harmless && name !== "");
      }),
      { numRuns: 5000 },
    );
  });
});

describe("Vault names and paths", () => {
  test.each(["reader", "orders-reader", "v1.2", "_x", "R2"])("accepts the name %p", (name) => {
    expect(vaultName("role", name)).toBe(name);
  });

  test.each(["", "a/b", "a b", "*", "a*", "+", "-a", "a-", ".", "..", "ä", "a\n", "x".repeat(129), "${a}"])(
    "refuses the name %p",
    (name) => expect(() => vaultName("role", name)).toThrow(/cannot be used in a Vault path/),
  );

  test.each(["database", "orders-dev/database", "a/b/c"])("accepts the path %p", (path) => {
    expect(vaultPath("secrets engine", path)).toBe(path);
  });

  test.each(["", "/a", "a/", "a//b", "a/../b", "a/*", "+/a", "a b"])("refuses the path %p", (path) => {
    expect(() => vaultPath("secrets engine", path)).toThrow(/is not usable/);
  });

  test("names the lower-case form where Vault would lowercase a name", () => {
    expect(() => lowercaseVaultName("AppRole", "Web")).toThrow(/use "web"/);
  });
});
