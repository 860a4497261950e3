import { DataResource } from "cdktf";
import { Construct } from "constructs";
import { ConfigurationError, show } from "./errors";

/** Options of {@link StateOwner}. */
export interface StateOwnerProps {
  /** What the state is of, such as `orders/dev`: letters, digits, `_`, `-`, `.` and `/`. It never changes. */
  readonly owner: string;
}

/**
 * Writes into a Terraform state whose it is, so that no other stack ever deploys with it. Terraform destroys what a state
 * holds and a stack does not: two applications with one key in a bucket would destroy each other, and a renamed one itself.
 *
 * A plan fails as a whole where the state has another owner. A state without any becomes the stack's. `terraform destroy`
 * asks for no owner; `vault-postgres destroy` does.
 */
export class StateOwner extends Construct {
  /** Terraform's resource. It is on no server. */
  readonly resource: DataResource;

  /** @throws ConfigurationError for an owner that is empty or has other characters */
  constructor(scope: Construct, id: string, { owner }: StateOwnerProps) {
    super(scope, id);
    if (typeof owner !== "string" || !/^[A-Za-z0-9_./-]+$/.test(owner)) {
      throw new ConfigurationError(
        `The state's owner is ${show(owner)}.`,
        'Use letters, digits, "_", "-", "." and "/", such as "orders/dev".',
      );
    }
    this.resource = new DataResource(this, "Resource", {
      input: { owner },
      lifecycle: {
        // What was written first stays.
        ignoreChanges: ["input"],
        postcondition: [
          {
            condition: `\${self.output.owner == "${owner}"}`,
            errorMessage:
              `The Terraform state belongs to \${self.output.owner}, and this is ${owner}: nothing is changed, for it would ` +
              "destroy what is deployed there. Where two stacks keep their state in one place, give each a key, schema or " +
              'folder of its own. Where an application or environment was renamed, see "Renaming" in docs/environment.md.',
          },
        ],
      },
    });
  }
}
