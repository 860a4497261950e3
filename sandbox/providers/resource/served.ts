// Says what the stand-in does not serve, instead of ignoring it.
import { isRecord, isList, type ObjectValue, type Value } from "../protocol/values";
import type { BlockFacts, BlockSchema } from "../schema/types";
import type { AttributeError } from "./type";

/** One error for each attribute or block that the configuration sets and that the stand-in would not act on. */
export function unservedAttributes(
  subject: string,
  schema: BlockSchema,
  facts: BlockFacts,
  config: ObjectValue,
): AttributeError[] {
  const errors: AttributeError[] = [];
  for (const [name, value] of Object.entries(config)) {
    const setting = value ?? null;
    if (isAbsent(setting) || setting === facts.defaults?.[name]) {
      continue;
    }
    if (!facts.serves.includes(name)) {
      errors.push({
        attribute: name,
        summary: `The sandbox's stand-in for the provider plugin does not serve "${name}" of ${subject}`,
      });
      continue;
    }
    const nested = schema.blocks[name]?.block;
    const nestedFacts = facts.blocks?.[name];
    if (nested !== undefined && nestedFacts !== undefined && isList(setting)) {
      for (const block of setting.filter(isRecord)) {
        errors.push(...unservedAttributes(`${subject}'s block "${name}"`, nested, nestedFacts, block));
      }
    }
  }
  return errors;
}

function isAbsent(value: Value): boolean {
  return value === null || value === "" || (isList(value) && value.length === 0);
}
