import { TerraformStack, type TerraformProvider } from "cdktf";
import type { IConstruct } from "constructs";
import { show } from "../errors";
import { isUnresolved } from "../names";
import { providerSettings } from "../provider-settings";
import { defaultVaultProvider, joinedNamespaces, withoutSpellings } from "./vault-server";

/** What is declared on a Vault server: by which provider, and in which namespace below the provider's. */
export interface OnVault extends IConstruct {
  readonly namespace?: string;
  readonly provider?: TerraformProvider;
}

interface Place {
  readonly provider?: TerraformProvider;
  readonly address?: string;
  /** From the provider's own on, or from the root where the provider has none; undefined where only Terraform knows. */
  readonly namespace?: string;
  /** As the code has it, below the provider's. */
  readonly below: string;
  /** For messages. */
  readonly shown: string;
}

/**
 * How the places of an AppRole's auth method and of a policy differ, for a message; undefined where they are one, or where
 * only Terraform or its environment knows.
 */
export function placesApart(auth: OnVault, policy: OnVault): string | undefined {
  const [ours, theirs] = [placeOf(auth), placeOf(policy)];
  if (!areApart(ours, theirs)) return undefined;
  return `the AppRole is in ${ours.shown}, the policy in ${theirs.shown}`;
}

function areApart(a: Place, b: Place): boolean {
  if (a.provider === b.provider) {
    return ![a.below, b.below].some(isUnresolved) && a.below !== b.below;
  }
  // An address that one of them leaves to the environment may be that of the other.
  const servers = a.address !== undefined && b.address !== undefined && a.address !== b.address;
  const namespaces = a.namespace !== undefined && b.namespace !== undefined && a.namespace !== b.namespace;
  return servers || namespaces;
}

function placeOf(construct: OnVault): Place {
  const provider = construct.provider ?? defaultVaultProvider(TerraformStack.of(construct));
  const { address, namespace: outer = "" } = providerSettings(provider);
  const below = joinedNamespaces(construct.namespace ?? "");
  const namespace = [outer, below].some(isUnresolved) ? undefined : joinedNamespaces(outer, below);
  const shownNamespace = namespace ?? below;
  const outermost = namespace === undefined ? "its provider's own namespace" : "the root namespace";
  const where = shownNamespace === "" ? outermost : `the namespace ${show(shownNamespace)}`;
  const known = address === undefined || isUnresolved(address) ? undefined : withoutSpellings(address);
  return {
    provider,
    ...{ address: known, namespace, below },
    shown: known === undefined ? where : `${where} of ${known}`,
  };
}
