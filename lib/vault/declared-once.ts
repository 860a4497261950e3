import { TerraformStack, type TerraformProvider } from "cdktf";
import type { IConstruct } from "constructs";
import { show } from "../errors";
import { isUnresolved } from "../names";
import { defaultVaultProvider, vaultServer } from "./vault-server";

/** Something of which a server has one by a name, so that two who declare it overwrite or refuse each other. */
interface Declared {
  readonly scope: IConstruct;
  readonly stack: TerraformStack;
  /** For messages, such as `policy`. */
  readonly kind: string;
  readonly path: string;
  readonly namespace?: string;
  readonly provider?: TerraformProvider;
  /** All that it says, where one stack may say the same more than once. */
  readonly text?: string;
}

interface Register {
  readonly list: Declared[];
  byKey?: Map<string, Declared[]>;
}

/** By the root of the tree. */
const declared = new WeakMap<IConstruct, Register>();

/**
 * Sees at synthesis that nothing else in the app, in this stack or another, declares the same thing on the same server: the
 * second would overwrite the first, and take it away from its applications when it is destroyed. Stacks of other apps are
 * not known here. Of a server, path or namespace that only Terraform knows, one stack's declarations are compared.
 */
export function declareOnce(scope: IConstruct, what: Omit<Declared, "scope" | "stack">): void {
  const register = declared.get(scope.node.root) ?? { list: [] };
  declared.set(scope.node.root, register);
  const own = { ...what, scope, stack: TerraformStack.of(scope) };
  register.list.push(own);
  register.byKey = undefined;
  scope.node.addValidation({ validate: () => othersOf(own, register) });
}

function othersOf(own: Declared, register: Register): string[] {
  register.byKey ??= grouped(register.list);
  const all = register.byKey.get(keyOf(own)) ?? [];
  const at = all.indexOf(own);
  const other = all.find((each, index) => contradict(each, own) && (each.stack !== own.stack || index < at));
  if (other === undefined) return [];
  if (other.path !== own.path && NESTED.includes(own.kind)) return [inside(own, other)];
  const places = (first: Declared, second: Declared) =>
    `at ${show(first.scope.node.path)} and at ${show(second.scope.node.path)}`;
  const what = `the ${own.kind} ${show(own.path)}`;
  return [
    (own.stack === other.stack
      ? `The stack ${show(own.stack.node.id)} declares ${what} twice, ${places(other, own)}. `
      : `The stacks ${show(own.stack.node.id)} and ${show(other.stack.node.id)} both declare ${what}, ${places(own, other)}. `) +
      "A server has one of that name: the second would overwrite the first or be refused, and whichever is destroyed takes " +
      `it from the other. Give one of them another name, or declare it in one ${own.stack === other.stack ? "place" : "stack"} ` +
      "and refer to it in the other.",
  ];
}

/** Nothing is mounted below another mount. */
const NESTED = ["secrets engine", "auth method"];

function inside(own: Declared, other: Declared): string {
  const [first, second] = [own, other].map(
    ({ kind, path, scope }) => `the ${kind} ${show(path)} at ${show(scope.node.path)}`,
  );
  return (
    `T${first!.slice(1)} and ${second} would be one inside the other, where a server refuses the second: "path is already in ` +
    'use". Give one of them a path that does not begin with that of the other.'
  );
}

function contradict(a: Declared, b: Declared): boolean {
  if (a.scope === b.scope) return false;
  if (
    NESTED.includes(a.kind) &&
    !`${a.path}/`.startsWith(`${b.path}/`) &&
    !`${b.path}/`.startsWith(`${a.path}/`)
  ) {
    return false;
  }
  return a.stack !== b.stack || a.text === undefined || a.text !== b.text;
}

function grouped(list: readonly Declared[]): Map<string, Declared[]> {
  const groups = new Map<string, Declared[]>();
  for (const each of list) {
    const key = keyOf(each);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return groups;
}

/** The server keeps them in lower case, or their policies are named after them, which it does. */
const IN_LOWER_CASE = ["policy", "role", "AppRole"];

function keyOf({ stack, kind, path, namespace, provider: given }: Declared): string {
  const provider = given ?? defaultVaultProvider(stack);
  const server = isUnresolved(path) ? undefined : vaultServer(provider, namespace);
  const name = NESTED.includes(kind) ? "" : IN_LOWER_CASE.includes(kind) ? path.toLowerCase() : path;
  // What is not known here is the same within a stack, where it is the same token.
  const place = server ?? [stack.node.addr, provider?.node.addr, namespace];
  return JSON.stringify([place, kind, name]);
}
