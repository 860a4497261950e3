import { TerraformProvider, TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import { show } from "../errors";
import { isUnresolved } from "../names";

/** Something on a server that is written whole, so that two who declare it overwrite each other. */
interface Declared {
  readonly scope: IConstruct;
  readonly stack: TerraformStack;
  /** For messages, such as `policy`. */
  readonly kind: string;
  readonly path: string;
  readonly namespace?: string;
  readonly provider?: TerraformProvider;
}

/** By the root of the tree. */
const declared = new WeakMap<IConstruct, { list: Declared[]; byKey?: Map<string, Declared[]> }>();

/**
 * Sees at synthesis that no other stack of the app declares the same thing on the same server: the second would overwrite the
 * first, and take it away from its applications when it is destroyed. Stacks of other apps are not known here, nor are servers
 * whose address only Terraform knows.
 */
export function declareOnce(scope: IConstruct, what: Omit<Declared, "scope" | "stack">): void {
  const register = declared.get(scope.node.root) ?? { list: [] };
  declared.set(scope.node.root, register);
  register.list.push({ ...what, scope, stack: TerraformStack.of(scope) });
  register.byKey = undefined;
  const own = register.list[register.list.length - 1]!;
  scope.node.addValidation({ validate: () => othersOf(own, register) });
}

function othersOf(own: Declared, register: { list: Declared[]; byKey?: Map<string, Declared[]> }): string[] {
  register.byKey ??= grouped(register.list);
  const key = keyOf(own);
  const other =
    key === undefined ? undefined : register.byKey.get(key)?.find(({ stack }) => stack !== own.stack);
  if (other === undefined) return [];
  const { kind, path, stack } = own;
  return [
    `The stacks ${show(stack.node.id)} and ${show(other.stack.node.id)} both declare the ${kind} ${show(path)}. ` +
      "Each would overwrite that of the other, and take it away when it is destroyed: declare it in one of them, and " +
      "refer to it by its name in the other.",
  ];
}

function grouped(list: readonly Declared[]): Map<string, Declared[]> {
  const groups = new Map<string, Declared[]>();
  for (const each of list) {
    const key = keyOf(each);
    if (key === undefined) continue;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return groups;
}

function keyOf({ stack, kind, path, namespace, provider }: Declared): string | undefined {
  const server = serverOf(provider ?? defaultProvider(stack));
  if (server === undefined || isUnresolved(path) || isUnresolved(namespace)) return undefined;
  return JSON.stringify([server, namespace, kind, path.toLowerCase()]);
}

const providers = new WeakMap<TerraformStack, TerraformProvider | null>();

/** The stack's vault provider, where it has one without an alias. */
function defaultProvider(stack: TerraformStack): TerraformProvider | undefined {
  const known = providers.get(stack);
  if (known !== undefined) return known ?? undefined;
  const found = stack.node
    .findAll()
    .find(
      (each): each is TerraformProvider =>
        TerraformProvider.isTerraformProvider(each) &&
        each.terraformResourceType === "vault" &&
        each.alias === undefined,
    );
  providers.set(stack, found ?? null);
  return found;
}

/** What a provider's configuration says of where it is; undefined where only Terraform knows, or its environment. */
function serverOf(provider: TerraformProvider | undefined): string | undefined {
  const { addressInput: address, namespaceInput: namespace } = (provider ?? {}) as {
    readonly addressInput?: string;
    readonly namespaceInput?: string;
  };
  if (address === undefined || isUnresolved(address) || isUnresolved(namespace)) return undefined;
  return JSON.stringify([address.replace(/\/+$/, "").toLowerCase(), namespace]);
}
