// The state that is written: the server's answer over what was known, in the form that the real plugins' SDK
// leaves behind, so that each can go on from the state of the other.
import { isKnown, isList, isRecord, type ObjectValue, type Value } from "../protocol/values";
import type { BlockSchema, CtyType } from "../schema/types";
import { isZero } from "./equivalence";
import { emptyOf, isCollection, sorted } from "./plan";

/** After an apply, an absent or empty collection stays as it was planned; after a refresh, it is empty. */
export type Occasion = "apply" | "refresh";

export function newState(
  schema: BlockSchema,
  known: ObjectValue,
  answer: ObjectValue,
  occasion: Occasion,
): ObjectValue {
  const state: Record<string, Value> = {};
  for (const [name, attribute] of Object.entries(schema.attributes)) {
    const earlier = known[name] ?? null;
    const said = answer[name];
    state[name] = attribute.writeOnly
      ? null
      : said === undefined
        ? settled(earlier)
        : merge(attribute.type, said, earlier, occasion);
  }
  for (const [name, nested] of Object.entries(schema.blocks)) {
    const said = answer[name];
    state[name] =
      said === undefined || !isList(said)
        ? (known[name] ?? [])
        : said.map((each) => nestedState(nested.block, isRecord(each) ? each : {}));
  }
  return state;
}

/** A nested block that was read comes back with all its attributes, the unsaid ones at their zero value. */
function nestedState(schema: BlockSchema, said: ObjectValue): ObjectValue {
  return Object.fromEntries(
    Object.entries(schema.attributes).map(([name, attribute]) => [
      name,
      attribute.writeOnly ? null : (said[name] ?? zeroOf(attribute.type)),
    ]),
  );
}

function merge(type: CtyType, said: Value, earlier: Value, occasion: Occasion): Value {
  if (isCollection(type)) {
    const value = said ?? emptyOf(type);
    if (occasion === "apply" && isZero(value) && isZero(earlier)) {
      return earlier;
    }
    if (isList(value)) {
      return sorted(type, mergeElements(type, value, earlier, occasion));
    }
    return value;
  }
  return said === null && earlier === "" ? earlier : said;
}

/** Elements that are objects, where an attribute is one in place of a block. */
function mergeElements(
  type: CtyType,
  said: readonly Value[],
  earlier: Value,
  occasion: Occasion,
): readonly Value[] {
  const element = Array.isArray(type) ? (type as readonly [string, CtyType])[1] : type;
  if (!Array.isArray(element) || element[0] !== "object") {
    return said;
  }
  const fields = element[1] as Readonly<Record<string, CtyType>>;
  const before = isList(earlier) && earlier.length === said.length ? earlier : [];
  return said.map((each, index) => {
    const known = before[index];
    return Object.fromEntries(
      Object.entries(fields).map(([name, fieldType]) => {
        const value = (isRecord(each) ? each[name] : undefined) ?? zeroOf(fieldType);
        const atPlan = isRecord(known) && occasion === "apply" ? (known[name] ?? null) : undefined;
        const keep = atPlan !== undefined && isCollection(fieldType) && isZero(value) && isZero(atPlan);
        return [name, keep ? atPlan : value];
      }),
    );
  });
}

function zeroOf(type: CtyType): Value {
  switch (type) {
    case "string":
      return "";
    case "number":
      return 0;
    case "bool":
      return false;
    default:
      return emptyOf(type);
  }
}

function settled(value: Value): Value {
  return isKnown(value) ? value : null;
}
