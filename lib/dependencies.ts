import {
  dependable,
  TerraformResource,
  TerraformStack,
  Token,
  type IResolvable,
  type IResolveContext,
  type ITerraformDependable,
} from "cdktf";

/** A resource that its user may have made stand in no synthesized file; nothing depends on it then. */
export interface MayBeLeftOut {
  readonly isLeftOut: boolean;
}

/**
 * Address of what is depended on, known at synthesis. CDKTF's own token captures two whole stack traces for each resource that
 * is depended on, and resolves both anew for each dependency.
 */
class Address implements IResolvable {
  readonly creationStack = [];

  constructor(private readonly item: ITerraformDependable) {}

  resolve({ scope }: IResolveContext): string | undefined {
    const { item } = this;
    if ((item as Partial<MayBeLeftOut>).isLeftOut === true) return undefined;
    // What is of another stack, or no resource, is left to CDKTF.
    if (!TerraformResource.isTerraformResource(item) || item.cdktfStack !== TerraformStack.of(scope)) {
      return dependable(item);
    }
    return `${item.terraformResourceType}.${item.friendlyUniqueId}`;
  }

  toString(): string {
    return Token.asString(this);
  }
}

/** One token for each, however many depend on it. */
const tokens = new WeakMap<ITerraformDependable, string>();

function tokenOf(item: ITerraformDependable): string {
  const token = tokens.get(item) ?? new Address(item).toString();
  tokens.set(item, token);
  return token;
}

/** What {@link dependOn} has made of a resource's `depends_on`, as long as nobody else has set it. */
const known = new WeakMap<TerraformResource, { readonly list: string[]; readonly has: Set<string> }>();

/**
 * Adds to a resource's `depends_on`, each once. CDKTF knows no dependency between constructs of one stack, only between
 * resources, and takes them at construction; here they become known later.
 */
export function dependOn(
  resource: TerraformResource,
  ...on: readonly (ITerraformDependable | undefined)[]
): void {
  let needs = known.get(resource);
  if (needs === undefined || needs.list !== resource.dependsOn) {
    const list = [...(resource.dependsOn ?? [])];
    needs = { list, has: new Set(list) };
    known.set(resource, needs);
    resource.dependsOn = list;
  }
  for (const item of on) {
    if (item === undefined) continue;
    const token = tokenOf(item);
    if (!needs.has.has(token)) needs.list.push(token);
    needs.has.add(token);
  }
}
