import { dependable, type ITerraformDependable, type TerraformResource } from "cdktf";

/** One token for each, however many depend on it: CDKTF captures a whole stack trace for every token. */
const tokens = new WeakMap<ITerraformDependable, string>();

function tokenOf(item: ITerraformDependable): string {
  const token = tokens.get(item) ?? dependable(item);
  tokens.set(item, token);
  return token;
}

/**
 * Adds to a resource's `depends_on`, each once. CDKTF knows no dependency between constructs of one stack, only between
 * resources, and takes them at construction; here they become known later.
 */
export function dependOn(
  resource: TerraformResource,
  ...on: readonly (ITerraformDependable | undefined)[]
): void {
  const fqns = on.filter((item) => item !== undefined).map(tokenOf);
  resource.dependsOn = [...new Set([...(resource.dependsOn ?? []), ...fqns])];
}
