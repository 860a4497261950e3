import type { Sandbox } from "../sandbox/sandbox";

/** Of the programs of a sandbox, Terraform or OpenTofu and its plugins only if the sandbox was started with them. */
export function versionsOf({ postgres, vault, terraform, providers }: Sandbox): Record<string, string> {
  return {
    PostgreSQL: postgres.version,
    [vault.product]: vault.version,
    ...(terraform === undefined ? {} : { Terraform: terraform.version }),
    ...(providers === undefined ? {} : { "provider plugins": providers.kind }),
  };
}
