import { App, Testing, TerraformStack, TerraformVariable } from "cdktf";
import { VaultProvider, type VaultProviderConfig } from "@cdktf/provider-vault/lib/provider";
import {
  AppRoleAuth,
  DatabaseSecretsEngine,
  DynamicRole,
  ManagerRole,
  Policy,
  PostgresConnection,
  PostgresDatabase,
} from "../../lib";

const ADDRESS = "https://vault.example.com:8200";
const SHOP = { path: "shop/database" };

/** Synthesizes an app of two stacks that are filled alike. */
function two(
  fill: (stack: TerraformStack) => void,
  configurations: readonly (VaultProviderConfig | ((stack: TerraformStack) => VaultProviderConfig))[] = [
    { address: ADDRESS },
    { address: `${ADDRESS}/` },
  ],
): void {
  const app = Testing.stubVersion(new App({ stackTraces: false }));
  const stacks = configurations.map((configuration, index) => {
    const stack = new TerraformStack(app, ["one", "two"][index]!);
    const made = typeof configuration === "function" ? configuration(stack) : configuration;
    new VaultProvider(stack, "VaultProvider", made);
    fill(stack);
    return stack;
  });
  for (const stack of stacks) Testing.synth(stack, true);
}

const policy = (stack: TerraformStack) =>
  void new Policy(stack, "Policy", { name: "shop", rules: [{ path: "shop/a", capabilities: ["read"] }] });

function role(stack: TerraformStack) {
  const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", SHOP);
  const manager = ManagerRole.fromName(stack, "Manager", "shop_manager");
  PostgresConnection.fromName(stack, "Connection", { engine, name: "shop", manager }).addDynamicRole(
    "reader",
    {
      creationStatements: [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`],
    },
  );
  PostgresDatabase.fromName(stack, "Database", "shop");
}

describe("what two stacks of an app declare on one server", () => {
  test.each<[string, (stack: TerraformStack) => void, RegExp]>([
    ["a policy", policy, /The stacks "one" and "two" both declare the policy "shop"\. Each would overwrite/],
    ["a role", role, /both declare the role "shop\/database\/reader"/],
    [
      "an AppRole",
      (stack) => void AppRoleAuth.fromPath(stack, "AppRoles", "shop/approle").addRole("web"),
      /both declare the AppRole "shop\/approle\/web"/,
    ],
  ])("is refused: %s", (_, fill, message) => {
    expect(() => two(fill)).toThrow(message);
  });

  test("is not refused where it is not the same", () => {
    two((stack) => {
      const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", SHOP);
      const approle = AppRoleAuth.fromPath(stack, "AppRoles", "shop/approle").addRole(stack.node.id);
      DynamicRole.fromName(stack, "Reader", { engine, name: "reader" }).grantRead(approle);
    });
    two(policy, [{ address: ADDRESS }, { address: "https://vault.other.example.com:8200" }]);
    two(policy, [
      { address: ADDRESS, namespace: "a" },
      { address: ADDRESS, namespace: "b" },
    ]);
  });

  test("is not refused on servers that only Terraform knows", () => {
    const later = (stack: TerraformStack) => ({
      address: new TerraformVariable(stack, "address", {}).stringValue,
    });
    two(policy, [later, later]);
    two(policy, [{}, {}] as VaultProviderConfig[]);
  });
});
