import type { TerraformResource, TerraformResourceLifecycle } from "cdktf";

type IgnoreChanges = NonNullable<TerraformResourceLifecycle["ignoreChanges"]>;

/** Has Terraform ignore changes of attributes, beside whatever lifecycle a user gives the resource. */
export function keepIgnoring(resource: TerraformResource, attributes: readonly string[]): void {
  // Once each: who reads the lifecycle and sets it again has ours in it.
  alwaysIgnoring(resource, (theirs) =>
    theirs === "all" ? theirs : [...new Set([...attributes, ...theirs])],
  );
}

/**
 * Makes what Terraform ignores of a resource out of what its user has it ignore, whenever the user sets a lifecycle.
 *
 * @param withOurs is given an empty list where the user says nothing
 */
export function alwaysIgnoring(
  resource: TerraformResource,
  withOurs: (theirs: IgnoreChanges) => IgnoreChanges,
): void {
  let given: TerraformResourceLifecycle | undefined = resource.lifecycle;
  Object.defineProperty(resource, "lifecycle", {
    configurable: true,
    enumerable: true,
    get: (): TerraformResourceLifecycle => ({
      ...given,
      ignoreChanges: withOurs(given?.ignoreChanges ?? []),
    }),
    set: (lifecycle: TerraformResourceLifecycle | undefined) => {
      given = lifecycle;
    },
  });
}
