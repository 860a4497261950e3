import { UserError } from "./errors";
import { parseState, type State } from "./import-state";

/** What of a synthesized stack tells whose its state is. */
interface Wanted {
  readonly resource?: {
    readonly terraform_data?: Readonly<Record<string, { readonly input?: { readonly owner?: unknown } }>>;
  };
  readonly output?: { readonly vault?: { readonly value?: { readonly mount?: unknown } } };
}

/**
 * Sees that a state is that of the stack, before anything is destroyed or imported with it. A plan for a destroy asks for no
 * conditions, and an import for none either.
 *
 * @param stack its name, for the message
 * @param text of `terraform state pull`
 * @param synthesized text of the stack's cdk.tf.json
 * @throws UserError that names both owners
 */
export function requireOwnState(stack: string, text: string, synthesized: string): void {
  const state = parseState(text);
  const wanted = JSON.parse(synthesized) as Wanted;
  for (const [name, { input }] of Object.entries(wanted.resource?.terraform_data ?? {})) {
    if (input?.owner !== undefined) requireSame(stack, ownerIn(state, name), input.owner);
  }
  // A state that was written before it had an owner has the output all the same.
  requireSame(stack, state.outputs?.vault?.value?.mount, wanted.output?.vault?.value?.mount);
}

function ownerIn({ resources = [] }: State, name: string): unknown {
  const found = resources.find((each) => each.type === "terraform_data" && each.name === name);
  const output = found?.instances[0]?.attributes?.output as
    { readonly value?: { readonly owner?: unknown } } | null | undefined;
  return output?.value?.owner;
}

function requireSame(stack: string, found: unknown, wanted: unknown): void {
  if (typeof found !== "string" || typeof wanted !== "string" || found === wanted) return;
  throw new UserError(
    `The Terraform state of ${stack} belongs to ${found}, and this is ${wanted}.`,
    "Where two stacks keep their state in one place, give each a key, schema or folder of its own. Where an application or " +
      'environment was renamed, go back to the former name: see "Renaming" in docs/environment.md.',
  );
}
