import type { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import {
  AppRole,
  AppRoleAuth,
  DatabaseSecretsEngine,
  DynamicRole,
  KeyValueEngine,
  KeyValueSecret,
  StaticRole,
  type IGrantee,
  type IPolicy,
} from "../../lib";
import { accessOf } from "../../lib/access-picture";
import { all, one, synthesize, type Synthesized } from "./synthesis";

const POLICY = "vault_policy";
const APP_ROLE = "vault_approle_auth_backend_role";

const names = (made: Synthesized) => all(made, POLICY).map(({ name }) => name as string);
const removed = (made: Synthesized) => (JSON.parse(made.json) as { removed?: unknown }).removed;

function imports(scope: Construct, id = "") {
  const engine = DatabaseSecretsEngine.fromPath(scope, `Secrets${id}`, "shop/database");
  return {
    engine,
    dynamic: DynamicRole.fromName(scope, `Dynamic${id}`, { engine, name: "Reader" }),
    fixed: StaticRole.fromName(scope, `Static${id}`, { engine, name: "legacy" }),
    secret: KeyValueSecret.fromPath(scope, `Secret${id}`, {
      engine: KeyValueEngine.fromPath(scope, `Values${id}`, "shop/kv"),
      path: "app/config",
    }),
  };
}

describe("what is managed elsewhere", () => {
  test("is read by a policy of this stack's own, for each AppRole, whose name is no path of a role", () => {
    const made = synthesize((stack) => {
      const auth = new AppRoleAuth(stack, "AppRoles", { path: "team/approle" });
      const { dynamic, fixed, secret } = imports(stack);
      for (const name of ["web", "batch"]) {
        const approle = auth.addRole(name);
        for (const each of [dynamic, fixed, secret, dynamic]) each.grantRead(approle);
      }
    });
    const paths = [
      "shop/database/creds/Reader",
      "shop/database/static-creds/legacy",
      "shop/kv/data/app/config",
    ];
    expect(names(made).sort()).toEqual(
      paths.flatMap((path) =>
        ["batch", "web"].map(
          (name) =>
            expect.stringMatching(
              new RegExp(`^${path.toLowerCase()}\\.for\\.team\\.approle\\.${name}-[0-9a-f]{8}$`),
            ) as string,
        ),
      ),
    );
    expect(new Set(names(made)).size).toBe(6);
    for (const policy of all(made, POLICY)) {
      const path = paths.find((each) => (policy.name as string).startsWith(`${each.toLowerCase()}.`));
      expect(policy.policy).toBe(`path "${path}" {\n  capabilities = ["read"]\n}\n`);
    }
    const web = one(made, APP_ROLE, { role_name: "web" });
    expect(web.token_policies).toEqual(
      names(made)
        .filter((name) => name.includes(".web-"))
        .sort(),
    );
  });

  test("has a policy for nobody in particular, with the stack's name", () => {
    const made = synthesize((stack) => {
      const { dynamic } = imports(stack);
      new AppRoleAuth(stack, "AppRoles").addRole("web", {
        policies: [dynamic.readPolicy, dynamic.readPolicy],
      });
    });
    expect(names(made)).toEqual([
      expect.stringMatching(/^shop\/database\/creds\/reader\.for\.stack-[0-9a-f]{8}$/),
    ]);
  });

  test("shares no policy between two that refer to it, in one stack or two", () => {
    const made = synthesize((stack) => {
      const approle = new AppRoleAuth(stack, "AppRoles").addRole("web");
      for (const id of ["A", "B"]) imports(stack, id).dynamic.grantRead(approle);
    });
    expect(new Set(names(made)).size).toBe(2);
    const ofStack = (approle: string) =>
      names(
        synthesize((stack) => imports(stack).dynamic.grantRead(new AppRoleAuth(stack, "A").addRole(approle))),
      );
    expect(ofStack("web")).toEqual(ofStack("web"));
    expect(ofStack("web")).not.toEqual(ofStack("batch"));
  });

  test("leaves the policy of an earlier version on the server", () => {
    const made = synthesize((stack) => {
      const auth = new AppRoleAuth(stack, "AppRoles");
      const { dynamic } = imports(stack);
      dynamic.grantRead(auth.addRole("web"));
      dynamic.grantRead(auth.addRole("batch"));
    });
    // The address at which that version declared it.
    expect(removed(made)).toEqual([
      { from: "vault_policy.Dynamic_ReadPolicy_5DFCB1AB", lifecycle: { destroy: false } },
    ]);
  });

  test("is read by others that can be given a policy", () => {
    class Group extends Construct implements IGrantee {
      readonly given: IPolicy[] = [];
      addPolicy = (policy: IPolicy) => void this.given.push(policy);
    }
    const made = synthesize((stack) => {
      const { dynamic } = imports(stack);
      dynamic.grantRead(new Group(stack, "Support"));
      dynamic.grantRead(new Group(stack, "Öps"));
      dynamic.grantRead({ identity: "identity/Öps team", addPolicy: () => undefined });
    });
    expect(names(made).sort()).toEqual([
      expect.stringMatching(/\.for\.identity\.ps\.team-[0-9a-f]{8}$/),
      expect.stringMatching(/\.for\.stack-[0-9a-f]{8}$/),
      expect.stringMatching(/\.for\.stack-[0-9a-f]{8}$/),
    ]);
    expect(new Set(names(made)).size).toBe(3);
  });

  test("gives a policy a name that Vault takes, however long", () => {
    const made = synthesize((stack) => {
      const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", `${"a".repeat(60)}/${"b".repeat(40)}`);
      const auth = new AppRoleAuth(stack, "AppRoles", { path: "c".repeat(30) });
      for (const name of ["d".repeat(100), `${"d".repeat(99)}e`]) {
        DynamicRole.fromName(stack, name, { engine, name: "reader" }).grantRead(auth.addRole(name));
      }
    });
    expect(names(made).map((name) => name.length)).toEqual([128, 128]);
    expect(new Set(names(made)).size).toBe(2);
  });

  test("is told to be read by whoever may", () => {
    const stack = synthesizeKept();
    expect(accessOf(stack).appRoles[0]?.reads).toEqual(["role shop/database/creds/Reader"]);
    expect(accessOf(stack).policies).toEqual([]);
  });

  test("says which policy to add to an AppRole that is managed elsewhere, too", () => {
    expect(() =>
      synthesize((stack) => {
        const auth = AppRoleAuth.fromPath(stack, "Auth", "approle");
        imports(stack).dynamic.grantRead(AppRole.fromName(stack, "Web", { auth, name: "web" }));
      }),
    ).toThrow(/Add the policy "shop\/database\/creds\/reader" to its token_policies/);
  });
});

function synthesizeKept(): TerraformStack {
  let kept: TerraformStack | undefined;
  synthesize((stack) => {
    kept = stack;
    imports(stack).dynamic.grantRead(new AppRoleAuth(stack, "AppRoles").addRole("web"));
  });
  return kept!;
}
