import type { TerraformStack } from "cdktf";
import { TerraformProvider } from "cdktf";
import { isUnresolved } from "../names";
import { providerSettings } from "../provider-settings";

const providers = new WeakMap<TerraformStack, TerraformProvider>();

/** The stack's vault provider, where it has one without an alias yet. */
export function defaultVaultProvider(stack: TerraformStack): TerraformProvider | undefined {
  const found =
    providers.get(stack) ??
    stack.node
      .findAll()
      .find(
        (each): each is TerraformProvider =>
          TerraformProvider.isTerraformProvider(each) &&
          each.terraformResourceType === "vault" &&
          each.alias === undefined,
      );
  if (found !== undefined) providers.set(stack, found);
  return found;
}

/**
 * A text that tells where a provider works from all other servers and namespaces; undefined where only Terraform knows, or
 * its environment.
 *
 * @param namespace below the provider's
 */
export function vaultServer(provider: TerraformProvider | undefined, namespace = ""): string | undefined {
  const { address, namespace: outer = "" } = providerSettings(provider);
  if (address === undefined || [address, outer, namespace].some(isUnresolved)) return undefined;
  return JSON.stringify([withoutSpellings(address), joinedNamespaces(outer, namespace)]);
}

/** One namespace in another, without a `/` at either end; empty for the root. */
export function joinedNamespaces(...namespaces: readonly string[]): string {
  return namespaces
    .map((each) => each.replaceAll(/^\/+|\/+$/g, ""))
    .filter((each) => each !== "")
    .join("/");
}

/** A server's address, which has a port or not, a slash or not, capitals or not, in one form. */
export function withoutSpellings(address: string): string {
  if (!URL.canParse(address)) return address;
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}
