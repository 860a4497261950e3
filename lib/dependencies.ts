import { dependable, type ITerraformDependable, type TerraformResource } from "cdktf";

/**
 * Adds to a resource's `depends_on`, each once. CDKTF knows no dependency between constructs of one stack, only between
 * resources, and takes them at construction; here they become known later.
 */
export function dependOn(
  resource: TerraformResource,
  ...on: readonly (ITerraformDependable | undefined)[]
): void {
  const fqns = on.filter((item) => item !== undefined).map(dependable);
  resource.dependsOn = [...new Set([...(resource.dependsOn ?? []), ...fqns])];
}
