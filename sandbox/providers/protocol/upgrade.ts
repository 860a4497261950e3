// State written by an earlier run, be it by the real plugin: fitted to the schema.
import type { BlockSchema } from "../schema/types";
import type { ObjectValue, Value } from "./values";

export interface RawState {
  readonly json?: Buffer;
}

/** Attributes that the schema does not have (any more) go, those that the state lacks are null. */
export function upgradeState(schema: BlockSchema, raw: RawState | undefined): ObjectValue | null {
  if (raw?.json === undefined || raw.json.length === 0) {
    throw new Error("the state is in a form that the stand-in does not read: it has no JSON");
  }
  return fit(schema, JSON.parse(raw.json.toString("utf8")) as Record<string, Value> | null);
}

function fit(schema: BlockSchema, values: ObjectValue | null): ObjectValue | null {
  if (values === null) {
    return null;
  }
  const fitted: Record<string, Value> = {};
  for (const [name, attribute] of Object.entries(schema.attributes)) {
    fitted[name] = attribute.writeOnly ? null : (values[name] ?? null);
  }
  for (const [name, nested] of Object.entries(schema.blocks)) {
    const list = (values[name] ?? []) as readonly ObjectValue[];
    fitted[name] = list.map((each) => fit(nested.block, each));
  }
  return fitted;
}
