import { App, TerraformStack, Testing } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";

/** The resources of a synthesized stack, by type and then by the last part of their construct path that is not hidden. */
export type Resources = Readonly<Record<string, Readonly<Record<string, Resource>>>>;
export type Resource = Readonly<Record<string, unknown>>;

export interface Synthesized {
  readonly json: string;
  readonly resource: Resources;
  readonly output: Readonly<Record<string, { readonly value: unknown }>>;
  readonly variable: Readonly<Record<string, Resource>>;
  readonly data: Resources;
}

/** Synthesizes a stack that `build` fills, with validations. */
export function synthesize(build: (stack: TerraformStack) => void): Synthesized {
  const stack = new TerraformStack(Testing.stubVersion(new App({ stackTraces: false })), "stack");
  new PostgresqlProvider(stack, "PostgresqlProvider", {});
  new VaultProvider(stack, "VaultProvider", {});
  build(stack);
  return synthesizeStack(stack);
}

/** Synthesizes a stack, with validations. */
export function synthesizeStack(stack: TerraformStack): Synthesized {
  const json = Testing.synth(stack, true);
  const parsed = JSON.parse(json) as Partial<Synthesized>;
  return {
    json,
    resource: parsed.resource ?? {},
    output: parsed.output ?? {},
    variable: parsed.variable ?? {},
    data: parsed.data ?? {},
  };
}

/** All resources of a type. */
export function all(synthesized: Synthesized, type: string): Resource[] {
  return Object.values(synthesized.resource[type] ?? {});
}

/** The one resource of a type that has these attributes; fails if there is none or more than one. */
export function one(synthesized: Synthesized, type: string, attributes: Resource = {}): Resource {
  const matching = all(synthesized, type).filter((resource) =>
    Object.entries(attributes).every(
      ([name, value]) => JSON.stringify(resource[name]) === JSON.stringify(value),
    ),
  );
  if (matching.length !== 1 || matching[0] === undefined) {
    throw new Error(`${matching.length} resources of type ${type} match ${JSON.stringify(attributes)}`);
  }
  return matching[0];
}

/** Terraform address of the one resource of a type that has these attributes. */
export function addressOf(synthesized: Synthesized, type: string, attributes: Resource = {}): string {
  const resource = one(synthesized, type, attributes);
  const entry = Object.entries(synthesized.resource[type] ?? {}).find(
    ([, candidate]) => candidate === resource,
  );
  return `${type}.${entry?.[0]}`;
}

/** Addresses that a resource waits for, directly or by way of others. */
export function waitsFor(synthesized: Synthesized, address: string): Set<string> {
  const [type = "", name = ""] = address.split(".");
  const direct = (synthesized.resource[type]?.[name]?.depends_on ?? []) as string[];
  return new Set(direct.flatMap((next) => [next, ...waitsFor(synthesized, next)]));
}
