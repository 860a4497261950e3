// Plans a change as the real plugins' SDK does, whose type system is older than Terraform's: Terraform is told so
// (`legacy_type_system`), and the values planned here are the ones that it would get from them.
import { UNKNOWN, isKnown, isList, isRecord, type ObjectValue, type Value } from "../protocol/values";
import type { AttributeSchema, BlockFacts, BlockSchema, CtyType } from "../schema/types";
import { equivalent, isZero } from "./equivalence";

export interface PlanInput {
  readonly schema: BlockSchema;
  readonly facts: BlockFacts;
  readonly prior: ObjectValue | null;
  readonly config: ObjectValue;
  readonly normalize?: (name: string, value: Value) => Value;
}

export interface Plan {
  readonly planned: ObjectValue;
  /** Attributes whose change needs a new object. */
  readonly replace: readonly string[];
}

export function plan(input: PlanInput): Plan {
  const { prior, facts } = input;
  const wanted = planBlock(input);
  if (prior !== null && equivalent(prior, wanted)) {
    return { planned: prior, replace: [] };
  }
  const replace = prior === null ? [] : (facts.forceNew ?? []).filter((name) => differs(name, prior, wanted));
  return { planned: wanted, replace };
}

function differs(name: string, prior: ObjectValue, wanted: ObjectValue): boolean {
  return !equivalent(prior[name] ?? null, wanted[name] ?? null);
}

function planBlock({ schema, facts, prior, config, normalize }: PlanInput): ObjectValue {
  const planned: Record<string, Value> = {};
  for (const [name, attribute] of Object.entries(schema.attributes)) {
    const written = config[name] ?? null;
    const value = normalize && isKnown(written) && written !== null ? normalize(name, written) : written;
    planned[name] = planAttribute(attribute, facts.defaults?.[name], prior, prior?.[name] ?? null, value);
  }
  for (const [name, nested] of Object.entries(schema.blocks)) {
    const configured = config[name] ?? null;
    const before = prior?.[name];
    planned[name] = isList(configured)
      ? configured.map((each, index) => planNested(nested.block, facts.blocks?.[name], each, before, index))
      : configured;
  }
  return planned;
}

function planNested(
  schema: BlockSchema,
  facts: BlockFacts | undefined,
  config: Value,
  before: Value | undefined,
  index: number,
): Value {
  if (!isRecord(config)) {
    return config;
  }
  const earlier = isList(before) ? before[index] : undefined;
  return planBlock({
    schema,
    facts: facts ?? { serves: [] },
    prior: isRecord(earlier) ? earlier : null,
    config,
  });
}

function planAttribute(
  attribute: AttributeSchema,
  defaultValue: string | number | boolean | undefined,
  prior: ObjectValue | null,
  before: Value,
  configured: Value,
): Value {
  if (attribute.writeOnly) {
    return null;
  }
  // An empty collection says nothing to the SDK, unlike an absent one to Terraform.
  const unset = configured === null || (isCollection(attribute.type) && isZero(configured));
  if (!unset) {
    return keepEquivalent(sorted(attribute.type, configured), before);
  }
  if (attribute.computed) {
    return prior === null ? UNKNOWN : before;
  }
  if (defaultValue !== undefined) {
    return defaultValue;
  }
  if (isZero(before)) {
    return before;
  }
  return isCollection(attribute.type) ? emptyOf(attribute.type) : null;
}

/** What means the same as before is left as it was, also inside of an object in a list. */
function keepEquivalent(value: Value, before: Value): Value {
  if (before !== null && equivalent(before, value)) {
    return before;
  }
  if (isList(value) && isList(before) && value.length === before.length) {
    return value.map((element, index) => keepFields(element, before[index] ?? null));
  }
  return value;
}

function keepFields(value: Value, before: Value): Value {
  return isRecord(value) && isRecord(before)
    ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, keepEquivalent(v, before[k] ?? null)]))
    : value;
}

/** As Terraform orders the elements of a set, so that equal sets compare equal. */
export function sorted(type: CtyType, value: Value): Value {
  if (
    !isList(value) ||
    !Array.isArray(type) ||
    type[0] !== "set" ||
    !value.every((e) => typeof e === "string")
  ) {
    return value;
  }
  return [...value].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

export function isCollection(type: CtyType): boolean {
  return Array.isArray(type) && type[0] !== "object";
}

export function emptyOf(type: CtyType): Value {
  return Array.isArray(type) && type[0] === "map" ? {} : [];
}
