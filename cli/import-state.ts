import type { Recovery, Resources, Settings } from "./import-ids";

/** A Terraform state, as far as it is looked at here. */
export interface State {
  readonly serial: number;
  readonly resources?: readonly StateResource[];
  readonly outputs?: Readonly<
    Record<string, { readonly value?: { readonly mount?: unknown } | null } | undefined>
  >;
}

interface StateResource {
  readonly mode: string;
  readonly module?: string;
  readonly type: string;
  readonly name: string;
  readonly provider: string;
  readonly instances: readonly { readonly schema_version?: number; readonly attributes?: Settings }[];
}

/** The state in the text of `terraform state pull`, which is empty where there is none. */
export function parseState(text: string): State {
  return text.trim() === "" ? { serial: 0 } : (JSON.parse(text) as State);
}

/** Addresses of the resources in a state. */
export function addressesIn({ resources = [] }: State): Set<string> {
  return new Set(
    resources
      .filter(({ mode, module }) => mode === "managed" && module === undefined)
      .map(({ type, name }) => `${type}.${name}`),
  );
}

/**
 * Writes into a state what no server tells and what the providers would act upon if it were missing: versions of secrets,
 * without which Terraform would send its own again, over those that were rotated since; and the template that a database
 * was made from, without which Terraform would make the database anew.
 *
 * @returns the state to push; undefined if nothing was missing
 */
export function completed(state: State, resources: Resources): State | undefined {
  let changed = false;
  const set = (attributes: Settings, name: string, value: unknown): Settings => {
    changed = true;
    return { ...attributes, [name]: value };
  };
  /** Of a resource, and of the blocks in it. */
  const complete = (attributes: Settings, wanted: Settings): Settings => {
    let result = attributes;
    for (const [name, value] of Object.entries(wanted)) {
      const [found] = asList(attributes[name]);
      const [block] = asList(value);
      if (isSettings(found) && isSettings(block)) {
        const inner = complete(found, block);
        if (inner !== found) result = set(result, name, [inner]);
      } else if (name.endsWith("_wo_version") && isUnset(attributes[name])) {
        result = set(result, name, value);
      }
    }
    return result;
  };
  const next = (state.resources ?? []).map((resource) => {
    const wanted = resources[resource.type]?.[resource.name];
    if (wanted === undefined || resource.mode !== "managed" || resource.module !== undefined) return resource;
    const instances = resource.instances.map((instance) => {
      let attributes = complete(instance.attributes ?? {}, wanted);
      const { template } = wanted;
      if (
        resource.type === "postgresql_database" &&
        template !== undefined &&
        attributes.template !== template
      ) {
        attributes = set(attributes, "template", template);
      }
      return attributes === instance.attributes ? instance : { ...instance, attributes };
    });
    return { ...resource, instances };
  });
  return changed ? { ...state, serial: state.serial + 1, resources: next } : undefined;
}

/**
 * Adds resources that no import brings in. The next plan reads each, and makes what does not stand.
 *
 * @returns the state to push; undefined if there is nothing to add, or no provider to add it with
 */
export function recorded(
  state: State,
  resources: Resources,
  recoveries: readonly Recovery[],
): State | undefined {
  const added = recoveries.flatMap((recovery): StateResource[] => {
    const [type = "", name = ""] = recovery.address.split(".");
    const provider = providerOf(state, resources, type, resources[type]?.[name]?.provider);
    if (recovery.way !== "record" || provider === undefined) return [];
    if (addressesIn(state).has(recovery.address)) return [];
    const instances = [{ schema_version: 0, attributes: recovery.attributes }];
    return [{ mode: "managed", type, name, provider, instances }];
  });
  if (added.length === 0) return undefined;
  return { ...state, serial: state.serial + 1, resources: [...(state.resources ?? []), ...added] };
}

/** How the state names the provider of resources of the same kind. */
function providerOf(state: State, resources: Resources, type: string, alias: unknown): string | undefined {
  const kind = type.split("_")[0];
  if (kind === "terraform") return 'provider["terraform.io/builtin/terraform"]';
  return state.resources?.find(
    (each) => each.type.split("_")[0] === kind && resources[each.type]?.[each.name]?.provider === alias,
  )?.provider;
}

/** A block is an object where it is synthesized, and a list of one in the state. */
function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** In a block the providers write the zero of the type. */
function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === 0 || value === "";
}
