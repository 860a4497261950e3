import { TerraformElement, TerraformResource, type TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import { Role } from "@cdktf/provider-postgresql/lib/role";
import { Forgotten, forgetting } from "../lib/forgotten";
import { AppRole } from "../lib/vault/app-role";
import { Policy } from "../lib/vault/policy";
import { StaticRole } from "../lib/vault/static-role";

/**
 * Takes out of a stack's state what another stack of its environment declares, and leaves it on the server: so that an
 * application may move from one group to another in the code.
 *
 * Vault takes the declaration of an AppRole that is there for a change of it. So the stack that it moves to has it as well,
 * and the one that it was in would delete it, with its SecretIDs, whichever is deployed first. The same holds for a static role
 * on a login that was there before, and its policy. What is in PostgreSQL, too, PostgreSQL refuses to make twice.
 */
export class DeclaredElsewhere extends TerraformElement {
  /** @param movable of each stack of the environment, when all is declared */
  constructor(
    private readonly stack: TerraformStack,
    private readonly movable: () => ReadonlyMap<TerraformStack, readonly string[]>,
  ) {
    super(stack, "DeclaredElsewhere");
  }

  /** Sees to it in each of an environment's stacks. */
  static amongAll(stacks: readonly TerraformStack[]): void {
    let found: ReadonlyMap<TerraformStack, readonly string[]> | undefined;
    const movable = () =>
      (found ??= new Map(stacks.map((stack) => [stack, movableOf(stack).map(addressOf)])));
    stacks.forEach((stack) => new DeclaredElsewhere(stack, movable));
  }

  override toTerraform(): unknown {
    const all = this.stack.node.findAll();
    const own = new Set([...all.filter(isResource), ...all.filter(isForgotten)].map(addressOf));
    const elsewhere = [...this.movable()].flatMap(([stack, addresses]) =>
      stack === this.stack ? [] : addresses,
    );
    const from = [...new Set(elsewhere)].filter((address) => !own.has(address)).sort();
    return from.length === 0 ? {} : forgetting(from);
  }
}

/** What Vault takes again as if it were new. */
function movableOf(stack: TerraformStack): (TerraformResource | Forgotten)[] {
  const all = stack.node.findAll();
  const madeHere = new Set(
    all.flatMap((construct) => (construct instanceof Role ? [construct.nameInput] : [])),
  );
  return all.flatMap((construct): (TerraformResource | Forgotten)[] => {
    // A login that a static role names by its username now may have been made by the stack that had the role before.
    if (isForgottenLogin(construct)) return [construct];
    if (construct instanceof AppRole) return [construct.resource];
    if (!(construct instanceof StaticRole) || madeHere.has(construct.username)) return [];
    const policy = construct.node.tryFindChild("ReadPolicy");
    return [construct.resource, ...(policy instanceof Policy ? [policy.resource] : [])];
  });
}

function isResource(construct: IConstruct): construct is TerraformResource {
  return TerraformResource.isTerraformResource(construct);
}

function isForgotten(construct: IConstruct): construct is Forgotten {
  return construct instanceof Forgotten;
}

function isForgottenLogin(construct: IConstruct): construct is Forgotten {
  return isForgotten(construct) && construct.resourceType === Role.tfResourceType;
}

function addressOf(construct: TerraformResource | Forgotten): string {
  if (construct instanceof Forgotten) return construct.address;
  return `${construct.terraformResourceType}.${construct.friendlyUniqueId}`;
}
