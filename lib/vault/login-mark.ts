import { TerraformResource, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import type { ILogin } from "../postgres/login";

/**
 * Changes when Terraform makes a login anew, such as one that was dropped by hand. It has no password then, and the engine would
 * set none until the next rotation: it sets one when a static role is made. Terraform replaces no resource because another is
 * created, only because another changes, which this one does: it holds the login's id.
 */
export class LoginMark extends TerraformResource {
  private readonly login: TerraformResource;

  /** @returns nothing where the login is not declared in this stack */
  static of(scope: Construct, { resource }: ILogin): LoginMark | undefined {
    if (!TerraformResource.isTerraformResource(resource)) return undefined;
    return resource.cdktfStack === TerraformStack.of(scope) ? new LoginMark(scope, resource) : undefined;
  }

  private constructor(scope: Construct, login: TerraformResource) {
    // Not CDKTF's own class for it, which runs Terraform at synthesis to ask for its version.
    super(scope, "LoginMark", { terraformResourceType: "terraform_data" });
    this.login = login;
  }

  /** For a lifecycle, where Terraform takes no expression, which CDKTF would make of the resource itself. */
  get address(): string {
    return `${this.terraformResourceType}.${this.friendlyUniqueId}`;
  }

  protected override synthesizeAttributes() {
    return { input: this.login.interpolationForAttribute("id") };
  }

  protected override synthesizeHclAttributes() {
    return {
      input: {
        value: this.login.interpolationForAttribute("id"),
        isBlock: false,
        type: "simple",
        storageClassType: "string",
      },
    };
  }
}
