import { AppRoleAuth, Duration, Lockout } from "../../lib";
import { addressOf, all, one, synthesize, waitsFor } from "./synthesis";

const TYPE = "vault_generic_endpoint";

const build = (lockout?: Lockout) =>
  synthesize((stack) => {
    new AppRoleAuth(stack, "AppRoles", { path: "shop/approle", namespace: "team", lockout }).addRole("web");
  });

describe("the lockout of an auth method", () => {
  test("is the server's where none is given", () => {
    expect(all(build(), TYPE)).toEqual([]);
  });

  test("is written once the method is there, and never deleted", () => {
    const made = build(Lockout.off());
    expect(one(made, TYPE)).toMatchObject({
      ...{ path: "sys/mounts/auth/shop/approle/tune", namespace: "team" },
      ...{ disable_delete: true, ignore_absent_fields: true },
    });
    expect(waitsFor(made, addressOf(made, TYPE))).toEqual(new Set([addressOf(made, "vault_auth_backend")]));
  });

  test.each<[string, Lockout, unknown]>([
    ["off", Lockout.off(), { user_lockout_config: { lockout_disable: true }, user_lockout_disable: true }],
    [
      "after 10 failures",
      Lockout.after(10, { duration: Duration.minutes(1) }),
      {
        user_lockout_config: {
          ...{ lockout_disable: false, lockout_threshold: "10" },
          ...{ lockout_duration: "60", lockout_counter_reset_duration: "900" },
        },
        ...{ user_lockout_disable: false, user_lockout_threshold: 10 },
        ...{ user_lockout_duration: 60, user_lockout_counter_reset_duration: 900 },
      },
    ],
  ])("is told as the server takes it, and as it gives it back: %s", (_, lockout, fields) => {
    expect(JSON.parse(one(build(lockout), TYPE).data_json as string)).toEqual(fields);
  });

  test.each([0, -1, 1.5, NaN])("refuses %p failures", (failures) => {
    expect(() => Lockout.after(failures)).toThrow(/whole number, 1 or more/);
  });

  test("refuses a duration of 0, which the server takes for its own", () => {
    expect(() => Lockout.after(5, { duration: Duration.seconds(0) })).toThrow(/has a duration of 0/);
    expect(() => Lockout.after(5, { countFor: Duration.seconds(0) })).toThrow(/has a countFor of 0/);
    expect(() => Lockout.after(1, { countFor: Duration.seconds(1) })).not.toThrow();
  });
});
