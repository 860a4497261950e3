// A schema as the protocol's messages carry it.
import type { AttributeSchema, BlockSchema, NestedBlockSchema, ResourceSchema } from "../schema/types";

const NESTING = { list: 2, set: 3 } as const;

export function schemaMessage({ version, block }: ResourceSchema): object {
  return { version, block: blockMessage(block) };
}

function blockMessage(block: BlockSchema): object {
  return {
    attributes: sortedEntries(block.attributes).map(([name, attribute]) => attributeMessage(name, attribute)),
    block_types: sortedEntries(block.blocks).map(([name, nested]) => nestedMessage(name, nested)),
    deprecated: block.deprecated ?? false,
  };
}

function attributeMessage(name: string, attribute: AttributeSchema): object {
  const { type, writeOnly, ...flags } = attribute;
  return { name, type: Buffer.from(JSON.stringify(type)), ...flags, write_only: writeOnly ?? false };
}

function nestedMessage(name: string, { block, nesting, maxItems }: NestedBlockSchema): object {
  return { type_name: name, block: blockMessage(block), nesting: NESTING[nesting], max_items: maxItems ?? 0 };
}

function sortedEntries<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
