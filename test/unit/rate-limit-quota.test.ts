import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import {
  AppRoleAuth,
  DatabaseSecretsEngine,
  Duration,
  KeyValueEngine,
  RateLimitQuota,
  RateLimitTarget,
  type RateLimitQuotaProps,
} from "../../lib";
import { addressOf, all, one, synthesize, waitsFor } from "./synthesis";

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
    expect(one(made, TYPE)).toMatchObject({ name: "credentials", path: "database/", rate: 5, interval: 1 });
    expect(Object.keys(one(made, TYPE)).filter((name) => /block|role/.test(name))).toEqual([]);
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

  test("fails a deployment that leaves it on another AppRole, and names the way out", () => {
    const condition = (made: ReturnType<typeof build>) =>
      (one(made, TYPE).lifecycle as { postcondition: { condition: string; error_message: string }[] })
        .postcondition[0];
    const made = synthesize((scope) => {
      const auth = new AppRoleAuth(scope, "AppRoles");
      const target = RateLimitTarget.authMethod(auth, auth.addRole("web"));
      new RateLimitQuota(scope, "Quota", { name: "logins", target, rate: 1 });
    });
    expect(condition(made)?.condition).toBe('${(self.role == null ? "" : self.role) == "web"}');
    expect(condition(made)?.error_message).toMatch(/should count logins of the AppRole web.*another name/);
    expect(condition(build())?.condition).toBe('${(self.role == null ? "" : self.role) == ""}');
  });

  test("has the namespace of what it limits in its path, and is in the root's itself", () => {
    const made = synthesize((scope) => {
      const engine = new DatabaseSecretsEngine(scope, "Secrets", { namespace: "team" });
      const auth = new AppRoleAuth(scope, "AppRoles", { namespace: "/team/sub/" });
      const kv = KeyValueEngine.fromPath(scope, "Values", { path: "secret", namespace: "team" });
      const targets = [
        RateLimitTarget.secretsEngine(engine),
        RateLimitTarget.secretsEngine(engine, "creds/reader"),
        RateLimitTarget.authMethod(auth, auth.addRole("web")),
        RateLimitTarget.secretsEngine(kv),
      ];
      targets.forEach((target, index) => {
        new RateLimitQuota(scope, `Quota${index}`, { name: `q${index}`, target, rate: 1 });
      });
    });
    const quotas = all(made, TYPE);
    expect(quotas.map(({ path }) => path)).toEqual([
      "team/database/",
      "team/database/creds/reader",
      "team/sub/auth/approle/",
      "team/secret/",
    ]);
    expect(quotas.map(({ namespace }) => namespace)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("has the namespace of a provider that what it limits is declared with in its path, too", () => {
    const made = synthesize((scope) => {
      const provider = new VaultProvider(scope, "Team", { alias: "team", namespace: "team" });
      const engine = new DatabaseSecretsEngine(scope, "Secrets", { provider, namespace: "sub" });
      new RateLimitQuota(scope, "Quota", {
        name: "q",
        target: RateLimitTarget.secretsEngine(engine),
        rate: 1,
      });
    });
    expect(one(made, TYPE).path).toBe("team/sub/database/");
  });

  test("warns of a provider of another namespace than the root, where servers take no quotas", () => {
    const warnings: unknown[] = [];
    synthesize((scope) => {
      const provider = new VaultProvider(scope, "Team", { alias: "team", namespace: "team" });
      const engine = new DatabaseSecretsEngine(scope, "Secrets", { provider });
      const target = RateLimitTarget.secretsEngine(engine);
      for (const [name, props] of [
        ["in-team", { provider }],
        ["in-root", {}],
      ] as const) {
        const quota = new RateLimitQuota(scope, name, { name, target, rate: 1, ...props });
        warnings.push(quota.node.metadata.map(({ data }) => data as unknown));
      }
    });
    expect(warnings).toEqual([[expect.stringMatching(/namespace "team", where servers refuse quotas/)], []]);
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
