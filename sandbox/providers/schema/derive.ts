// Derives the plugins' schemas from the installed bindings: their code knows each attribute's kind, their jsii
// manifest which are required. What neither says comes from the resource types' own facts.
import { readFileSync } from "node:fs";
import { Token } from "cdktf";
import type { ProviderName } from "../versions";
import type {
  AttributeSchema,
  BlockFacts,
  BlockSchema,
  CtyType,
  NestedBlockSchema,
  ProviderSchema,
  ResourceFacts,
} from "./types";

export interface SchemaSource {
  readonly name: ProviderName;
  readonly facts: BlockFacts;
  readonly resources: Readonly<Record<string, { readonly facts: ResourceFacts }>>;
  readonly dataSources: Readonly<Record<string, { readonly facts: ResourceFacts }>>;
}

interface BindingAttribute {
  readonly isBlock: boolean;
  readonly type: string;
  readonly storageClassType: string;
}
type Bindings = Record<string, BindingAttribute>;
type BindingModule = Record<string, unknown>;

interface BindingClass {
  readonly prototype: { synthesizeHclAttributes(): Bindings };
  readonly tfResourceType: string;
}

interface JsiiProperty {
  readonly name: string;
  readonly optional?: boolean;
  readonly type: { readonly fqn?: string };
}
type JsiiTypes = Record<string, { readonly properties?: readonly JsiiProperty[] } | undefined>;

export function deriveProviderSchema(source: SchemaSource): ProviderSchema {
  const manifest = require.resolve(`@cdktf/provider-${source.name}/.jsii`);
  const { types } = JSON.parse(readFileSync(manifest, "utf8")) as { types: JsiiTypes };
  const read = (module: string, type: string, facts: BlockFacts) =>
    new BindingReader(source.name, module, types).block(type, facts);
  const schemas = (types: SchemaSource["resources"], folder: "" | "data-") =>
    Object.fromEntries(
      Object.entries(types).map(([type, { facts }]) => {
        const rest = type.slice(source.name.length + 1).replaceAll("_", "-");
        const block = read(folder === "" ? rest : `${folder}${source.name}-${rest}`, type, facts);
        const id: AttributeSchema = { type: "string", optional: true, computed: true };
        const withId = { ...block, attributes: { ...block.attributes, id } };
        return [type, { version: facts.version ?? 0, block: withId }];
      }),
    );
  return {
    provider: read("provider", source.name, source.facts),
    resources: schemas(source.resources, ""),
    dataSources: schemas(source.dataSources, "data-"),
  };
}

class BindingReader {
  private readonly module: BindingModule;

  public constructor(
    private readonly provider: ProviderName,
    module: string,
    private readonly jsii: JsiiTypes,
  ) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- which module is known at run time only
    this.module = require(`@cdktf/provider-${provider}/lib/${module}`) as BindingModule;
  }

  public block(tfResourceType: string, facts: BlockFacts): BlockSchema {
    const binding = Object.values(this.module).find(
      (value): value is BindingClass =>
        typeof value === "function" && (value as unknown as BindingClass).tfResourceType === tfResourceType,
    );
    if (binding === undefined) {
      throw new Error(`@cdktf/provider-${this.provider} has no bindings of ${tfResourceType}`);
    }
    const attributes = binding.prototype.synthesizeHclAttributes.call(everythingSet());
    // CDKTF's own, not the plugin's.
    delete attributes.alias;
    return this.fromBindings(attributes, `${jsiiName(binding)}Config`, facts);
  }

  private fromBindings(bindings: Bindings, jsiiType: string, facts: BlockFacts): BlockSchema {
    const properties = this.jsii[jsiiType]?.properties ?? [];
    const attributes: Record<string, AttributeSchema> = {};
    const blocks: Record<string, NestedBlockSchema> = {};
    for (const [name, binding] of Object.entries(bindings)) {
      const property = findProperty(properties, name);
      if (property === undefined) {
        throw new Error(`${jsiiType} has no property for ${name}`);
      }
      const nested = binding.isBlock ? this.nested(name, binding, jsiiType, facts) : undefined;
      if (nested !== undefined && !facts.attributeBlocks?.includes(name)) {
        const nesting = binding.type === "set" ? "set" : "list";
        // A block that may be there once is one struct in the bindings, any other an array of structs.
        blocks[name] = { nesting, block: nested, ...(property.type.fqn ? { maxItems: 1 } : {}) };
        if (facts.deprecated?.includes(name)) {
          blocks[name] = { ...blocks[name], block: { ...nested, deprecated: true } };
        }
        continue;
      }
      attributes[name] = {
        type: nested === undefined ? ctyType(name, binding) : ["list", objectType(nested)],
        ...(property.optional ? { optional: true } : { required: true }),
        ...(facts.computed?.includes(name) ? { computed: true } : {}),
        ...(facts.sensitive?.includes(name) ? { sensitive: true } : {}),
        ...(facts.writeOnly?.includes(name) ? { writeOnly: true } : {}),
        ...(facts.deprecated?.includes(name) ? { deprecated: true } : {}),
      };
    }
    for (const [name, type] of Object.entries(facts.readOnly ?? {})) {
      attributes[name] = {
        type,
        computed: true,
        ...(facts.sensitive?.includes(name) ? { sensitive: true } : {}),
        ...(facts.deprecated?.includes(name) ? { deprecated: true } : {}),
      };
    }
    return { attributes, blocks };
  }

  private nested(name: string, binding: BindingAttribute, owner: string, facts: BlockFacts): BlockSchema {
    const struct = binding.storageClassType.replace(/List$/, "");
    const mapper = this.module[`${struct.charAt(0).toLowerCase()}${struct.slice(1)}ToHclTerraform`];
    if (typeof mapper !== "function") {
      throw new Error(`${owner} does not say what the block ${name} holds`);
    }
    const bindings = (mapper as (value: object) => Bindings)(everythingSet());
    const namespace = owner.slice(0, owner.lastIndexOf("."));
    return this.fromBindings(bindings, `${namespace}.${struct}`, facts.blocks?.[name] ?? { serves: [] });
  }
}

/** The bindings describe only what has a value, so every property is given one: an unresolved token. */
function everythingSet(): object {
  const token = Token.asAny("set") as object;
  Object.defineProperty(token, "internalValue", { value: token });
  return new Proxy(
    {},
    // Without `resolve` and the like the proxy is taken for a struct and not for a token itself.
    {
      get: (_, key) => (typeof key === "symbol" || key === "resolve" || key === "toJSON" ? undefined : token),
    },
  );
}

function jsiiName(binding: BindingClass): string {
  const information = (binding as unknown as Record<symbol, { fqn: string }>)[Symbol.for("jsii.rtti")];
  if (information === undefined) {
    throw new Error(`the bindings of ${binding.tfResourceType} carry no jsii name`);
  }
  return information.fqn;
}

/** Property names are the attributes' in camel case; after a digit the bindings begin a word of their own. */
function findProperty(properties: readonly JsiiProperty[], name: string): JsiiProperty | undefined {
  const camelCase = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return (
    properties.find((each) => each.name === camelCase) ??
    properties.find((each) => each.name.toLowerCase() === camelCase.toLowerCase())
  );
}

function objectType(block: BlockSchema): CtyType {
  return ["object", Object.fromEntries(Object.entries(block.attributes).map(([k, v]) => [k, v.type]))];
}

function ctyType(name: string, binding: BindingAttribute): CtyType {
  const [, primitive, collection] =
    /^(string|number|boolean)(List|Map)?$/.exec(binding.storageClassType) ?? [];
  const element = primitive === "boolean" ? "bool" : (primitive as "string" | "number" | undefined);
  if (element === undefined) {
    throw new Error(`the bindings give ${name} the unknown kind ${binding.storageClassType}`);
  }
  if (collection === undefined) {
    return element;
  }
  return [collection === "Map" ? "map" : binding.type === "set" ? "set" : "list", element];
}
