import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { requireOwnState } from "../../cli/state-owner";
import { StateOwner } from "../../lib";
import { all, one, synthesize } from "./synthesis";

describe("StateOwner", () => {
  test("writes down whose the state is, once, and refuses the state of another", () => {
    const data = one(
      synthesize((scope) => new StateOwner(scope, "Owner", { owner: "orders/dev" })),
      "terraform_data",
    );
    expect(data).toMatchObject({ input: { owner: "orders/dev" } });
    expect(data.lifecycle).toEqual({
      ignore_changes: ["input"],
      postcondition: [
        {
          condition: '${self.output.owner == "orders/dev"}',
          error_message: expect.stringMatching(
            /belongs to \$\{self\.output\.owner\}, and this is orders\/dev.*docs\/environment\.md/s,
          ) as string,
        },
      ],
    });
  });

  test("writes down the namespace that the provider of Vault is in, once, and refuses another", () => {
    const synthesized = synthesize((scope) => {
      const vaultProvider = scope.node.findChild("VaultProvider") as VaultProvider;
      return new StateOwner(scope, "Owner", { owner: "orders/dev", vaultProvider });
    });
    const [name] = Object.keys(synthesized.data.vault_namespace ?? {});
    const namespace = `trim(data.vault_namespace.${name}.id, "/")`;
    const data = all(synthesized, "terraform_data");
    expect(data).toHaveLength(2);
    expect(data[1]).toMatchObject({
      input: { namespace: `\${${namespace}}` },
      lifecycle: {
        ignore_changes: ["input"],
        postcondition: [
          {
            condition: `\${self.output.namespace == ${namespace}}`,
            error_message: expect.stringContaining(
              `in the namespace "\${self.output.namespace}" of Vault, and Terraform's provider is in "\${${namespace}}"`,
            ) as string,
          },
        ],
      },
    });
  });

  test.each(["", 'a"b', "${x}", "a b", undefined as unknown as string])("refuses the owner %j", (owner) => {
    expect(() => synthesize((scope) => new StateOwner(scope, "Owner", { owner }))).toThrow(
      /state's owner is/,
    );
  });
});

describe("a state that is to be imported into, or destroyed", () => {
  const synthesized = JSON.stringify({
    resource: { terraform_data: { Owner: { input: { owner: "orders/dev" } }, Other: { input: {} } } },
    output: { vault: { value: { mount: "orders-dev/database" } } },
  });
  const state = (owner?: string, mount?: string) =>
    JSON.stringify({
      serial: 1,
      ...(mount !== undefined && { outputs: { vault: { value: { mount } } } }),
      ...(owner !== undefined && {
        resources: [
          {
            ...{ mode: "managed", type: "terraform_data", name: "Owner", provider: "" },
            instances: [{ attributes: { output: { value: { owner }, type: "string" } } }],
          },
        ],
      }),
    });

  test.each([
    ["nothing", ""],
    ["no owner", state()],
    ["its owner", state("orders/dev")],
    ["its engine", state(undefined, "orders-dev/database")],
    ["both", state("orders/dev", "orders-dev/database")],
  ])("is the stack's with %s", (_, text) => {
    expect(() => requireOwnState("dev", text, synthesized)).not.toThrow();
  });

  test.each([
    [
      "another's owner",
      state("billing/dev"),
      /state of dev belongs to billing\/dev, and this is orders\/dev/,
    ],
    ["another's engine", state(undefined, "billing-dev/database"), /belongs to billing-dev\/database/],
    ["its owner and another's engine", state("orders/dev", "billing-dev/database"), /belongs to billing-dev/],
  ])("is another's with %s", (_, text, message) => {
    expect(() => requireOwnState("dev", text, synthesized)).toThrow(message);
  });
});
