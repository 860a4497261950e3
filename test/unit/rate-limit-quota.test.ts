import {
  AppRoleAuth,
  DatabaseSecretsEngine,
  Duration,
  RateLimitQuota,
  RateLimitTarget,
  type RateLimitQuotaProps,
} from "../../lib";
import { addressOf, one, synthesize, waitsFor } from "./synthesis";

const TYPE = "vault_quota_rate_limit";
const build = (props: Partial<RateLimitQuotaProps> = {}, path?: string) =>
  synthesize((scope) => {
    const engine = new DatabaseSecretsEngine(scope, "Secrets");
    const target = RateLimitTarget.secretsEngine(engine, path);
    new RateLimitQuota(scope, "Quota", { name: "credentials", target, rate: 5, ...props });
  });

describe("RateLimitQuota", () => {
  test("minimal definition: all requests to an engine, after it is mounted", () => {
    const made = build();
    expect(one(made, TYPE)).toMatchObject({ name: "credentials", path: "database/", rate: 5 });
    expect(Object.keys(one(made, TYPE)).filter((name) => /interval|role/.test(name))).toEqual([]);
    expect(waitsFor(made, addressOf(made, TYPE))).toContain(addressOf(made, "vault_mount"));
  });

  test("limits one exact path of an engine", () => {
    expect(one(build({}, "creds/reader"), TYPE).path).toBe("database/creds/reader");
  });

  test("limits the logins of one AppRole", () => {
    const made = synthesize((scope) => {
      const auth = new AppRoleAuth(scope, "AppRoles", { path: "orders/approle" });
      const target = RateLimitTarget.authMethod(auth, auth.addRole("web"));
      new RateLimitQuota(scope, "Quota", { name: "logins", target, rate: 0.5 });
    });
    expect(one(made, TYPE)).toMatchObject({ path: "auth/orders/approle/", role: "web", rate: 0.5 });
    expect(waitsFor(made, addressOf(made, TYPE))).toContain(addressOf(made, "vault_auth_backend"));
  });

  test("has its intervals in seconds", () => {
    const made = build({ interval: Duration.minutes(1), blockInterval: Duration.minutes(5) });
    expect(one(made, TYPE)).toMatchObject({ interval: 60, block_interval: 300 });
  });

  test.each([0, -1, NaN, Infinity])("refuses the rate %d", (rate) => {
    expect(() => build({ rate })).toThrow("Use a number of requests above 0");
  });

  test("refuses intervals of 0, a path with a wildcard, and a name with a slash", () => {
    expect(() => build({ interval: Duration.seconds(0) })).toThrow('has the interval "0s"');
    expect(() => build({ blockInterval: Duration.seconds(0) })).toThrow('has the blockInterval "0s"');
    expect(() => build({}, "creds/*")).toThrow("is not usable");
    expect(() => build({ name: "a/b" })).toThrow("cannot be used in a Vault path");
  });
});
