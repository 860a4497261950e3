import { TerraformProvider, TerraformStack } from "cdktf";
import { isUnresolved } from "../names";
import { providerSettings } from "../provider-settings";
import type { IDatabaseSecretsEngine } from "./database-secrets-engine";

/** A text that tells a Vault server from others, as far as its provider's address does; else its stack. */
export function vaultKey(engine: IDatabaseSecretsEngine): string {
  const stack = TerraformStack.of(engine);
  const provider =
    engine.provider ??
    stack.node.children.find(
      (child): child is TerraformProvider =>
        TerraformProvider.isTerraformProvider(child) &&
        child.terraformResourceType === "vault" &&
        child.alias === undefined,
    );
  const { address, namespace } = providerSettings(provider);
  const isKnown = address !== undefined && !isUnresolved(address) && !isUnresolved(namespace);
  return [isKnown ? address : stack.node.addr, namespace ?? "", engine.namespace ?? ""].join(" ");
}

/** A text that tells an engine from others, also from those of other stacks, where {@link vaultKey} does. */
export function engineKey(engine: IDatabaseSecretsEngine): string {
  return `${vaultKey(engine)} ${isUnresolved(engine.path) ? engine.node.addr : engine.path}`;
}
