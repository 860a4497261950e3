import type { TerraformResource, TerraformResourceLifecycle } from "cdktf";

/** Has Terraform ignore changes of attributes, beside whatever lifecycle a user gives the resource. */
export function keepIgnoring(resource: TerraformResource, attributes: readonly string[]): void {
  let given: TerraformResourceLifecycle | undefined = resource.lifecycle;
  Object.defineProperty(resource, "lifecycle", {
    configurable: true,
    enumerable: true,
    get: (): TerraformResourceLifecycle => {
      const theirs = given?.ignoreChanges ?? [];
      if (theirs === "all") return { ...given, ignoreChanges: theirs };
      // Once each: who reads the lifecycle and sets it again has ours in it.
      return { ...given, ignoreChanges: [...new Set([...attributes, ...theirs])] };
    },
    set: (lifecycle: TerraformResourceLifecycle | undefined) => {
      given = lifecycle;
    },
  });
}
