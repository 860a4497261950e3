// Terraform's CLI configuration that takes these two plugins from a folder, and any other from where it comes.
import { providerSource, type ProviderName } from "./versions";

/** Terraform and OpenTofu each put their own registry before a source that names none. */
export const REGISTRIES = ["registry.terraform.io", "registry.opentofu.org"] as const;

export function mirrorConfiguration(mirror: string): string {
  const names: readonly ProviderName[] = ["vault", "postgresql"];
  const list = names
    .map(providerSource)
    .flatMap(({ namespace, type }) => REGISTRIES.map((host) => hclString(`${host}/${namespace}/${type}`)))
    .join(", ");
  return [
    "provider_installation {",
    "  filesystem_mirror {",
    `    path    = ${hclString(mirror)}`,
    `    include = [${list}]`,
    "  }",
    "  direct {",
    `    exclude = [${list}]`,
    "  }",
    "}",
    "",
  ].join("\n");
}

function hclString(text: string): string {
  return JSON.stringify(text).replace(/[$%]\{/g, (start) => start.charAt(0) + start);
}
