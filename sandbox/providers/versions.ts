// Which plugins the installed bindings were made for: the only place that versions come from.
import { readFileSync } from "node:fs";

export type ProviderName = "postgresql" | "vault";

interface BindingsManifest {
  readonly cdktf: { readonly provider: { readonly name: string; readonly version: string } };
}

/** As in "registry.terraform.io/hashicorp/vault". */
export function providerSource(provider: ProviderName): { namespace: string; type: string } {
  const [, namespace, type] = manifest(provider).name.split("/");
  if (namespace === undefined || type === undefined) {
    throw new Error(`@cdktf/provider-${provider} does not say which provider it was made for`);
  }
  return { namespace, type };
}

export function providerVersion(provider: ProviderName): string {
  return manifest(provider).version;
}

function manifest(provider: ProviderName): BindingsManifest["cdktf"]["provider"] {
  const file = require.resolve(`@cdktf/provider-${provider}/package.json`);
  return (JSON.parse(readFileSync(file, "utf8")) as BindingsManifest).cdktf.provider;
}
