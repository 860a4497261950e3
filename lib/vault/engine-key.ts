import { TerraformStack } from "cdktf";
import { isUnresolved } from "../names";
import type { IDatabaseSecretsEngine } from "./database-secrets-engine";
import { defaultVaultProvider, vaultServer } from "./vault-server";

/** A text that tells a Vault server from others, as far as its provider's address does; else its stack. */
export function vaultKey(engine: IDatabaseSecretsEngine): string {
  const stack = TerraformStack.of(engine);
  const server = vaultServer(engine.provider ?? defaultVaultProvider(stack), engine.namespace);
  return server ?? JSON.stringify([stack.node.addr, engine.provider?.node.addr, engine.namespace]);
}

/** A text that tells an engine from others, also from those of other stacks, where {@link vaultKey} does. */
export function engineKey(engine: IDatabaseSecretsEngine): string {
  return `${vaultKey(engine)} ${isUnresolved(engine.path) ? engine.node.addr : engine.path}`;
}
