import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PROVIDERS } from "../../sandbox/providers/providers";
import { deriveProviderSchema } from "../../sandbox/providers/schema/derive";
import type { AttributeSchema, BlockSchema } from "../../sandbox/providers/schema/types";
import { providerSource, type ProviderName } from "../../sandbox/providers/versions";
import { describeWithRealPlugins, realPlugins } from "./real-plugins";

/** A block as `terraform providers schema -json` prints it. */
interface PrintedBlock {
  attributes?: Record<string, Record<string, unknown>>;
  block_types?: Record<
    string,
    { nesting_mode: string; max_items?: number; block?: PrintedBlock } & PrintedBlock
  >;
  deprecated?: boolean;
}

const NAMES = Object.keys(PROVIDERS) as ProviderName[];
const DERIVED = Object.fromEntries(NAMES.map((name) => [name, deriveProviderSchema(PROVIDERS[name])]));
const TYPES = NAMES.flatMap((name) =>
  Object.entries(DERIVED[name]?.resources ?? {}).map(([type, schema]) => ({ name, type, schema })),
);

describe("the derived schemas", () => {
  it.each(TYPES)("serve in $type only what it has", ({ name, type, schema }) => {
    const has = [...Object.keys(schema.block.attributes), ...Object.keys(schema.block.blocks)];
    const facts = PROVIDERS[name].resources[type]?.facts;
    const named = [
      ...(facts?.serves ?? []),
      ...(facts?.forceNew ?? []),
      ...Object.keys(facts?.defaults ?? {}),
    ];
    expect(named.filter((each) => !has.includes(each))).toEqual([]);
  });

  it("keep a write-only argument out of what is computed or has a default", () => {
    const password = DERIVED.postgresql?.resources.postgresql_role?.block.attributes.password_wo;
    expect(password).toEqual({ type: "string", optional: true, sensitive: true, writeOnly: true });
  });
});

const PRINTED = resolve(__dirname, "../../../shared/provider-schemas.json");
const whereThere = existsSync(PRINTED) ? describe : describe.skip;
if (!existsSync(PRINTED)) {
  process.stderr.write("SKIPPED: comparison with printed schemas: there is no provider-schemas.json\n");
}

whereThere("the derived schemas, beside those printed of the real plugins", () => {
  const printed = existsSync(PRINTED)
    ? (JSON.parse(readFileSync(PRINTED, "utf8")) as Record<
        string,
        { provider: PrintedBlock; resources: Record<string, { version: number; block: PrintedBlock }> }
      >)
    : {};

  it.each(NAMES)("are the same for the configuration of %s", (name) => {
    const real = printed[address(name)]?.provider;
    expect(ofDerived(DERIVED[name]!.provider, real)).toEqual(ofPrinted(real));
  });

  it.each(TYPES)("are the same for $type", ({ name, type, schema }) => {
    const real = printed[address(name)]?.resources[type];
    expect(real?.version).toBe(schema.version);
    // The file leaves out some blocks; those that it has are compared whole.
    expect(ofDerived(schema.block, real?.block)).toEqual(ofPrinted(real?.block));
  });
});

const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
const real = realPlugins(terraform);

describeWithRealPlugins(real, "the derived schemas, beside those of the installed plugins", () => {
  it.each(TYPES)("are the same for $type, with every block", ({ name, type, schema }) => {
    const installed = installedSchema(name)?.resource_schemas[type];
    expect(installed?.version).toBe(schema.version);
    expect(ofDerived(schema.block)).toEqual(ofPrinted(installed?.block));
  });

  it.each(NAMES)("are the same for the configuration of %s", (name) => {
    expect(ofDerived(DERIVED[name]!.provider)).toEqual(ofPrinted(installedSchema(name)?.provider.block));
  });
});

type Installed = Record<
  string,
  {
    provider: { block: PrintedBlock };
    resource_schemas: Record<string, { version: number; block: PrintedBlock }>;
  }
>;
let installedCache: Installed | undefined;

function installedSchemas(): Installed {
  if (!real.installed) {
    throw new Error(real.reason);
  }
  installedCache ??= (
    JSON.parse(
      execFileSync(terraform, ["providers", "schema", "-json"], {
        cwd: join(real.directory),
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, ...real.environment },
      }),
    ) as { provider_schemas: Installed }
  ).provider_schemas;
  return installedCache;
}

/** OpenTofu has another registry before the same name. */
function installedSchema(name: ProviderName): Installed[string] | undefined {
  const [, ...path] = address(name).split("/");
  return Object.entries(installedSchemas()).find(([key]) => key.endsWith(`/${path.join("/")}`))?.[1];
}

function address(name: ProviderName): string {
  const { namespace, type } = providerSource(name);
  return `registry.terraform.io/${namespace}/${type}`;
}

const FLAGS = ["required", "optional", "computed", "sensitive", "deprecated"] as const;

function ofPrinted(block: PrintedBlock | undefined): unknown {
  return {
    deprecated: block?.deprecated ?? false,
    attributes: mapValues(block?.attributes ?? {}, (attribute) => ({
      type: attribute.type,
      writeOnly: attribute.write_only === true,
      ...Object.fromEntries(FLAGS.map((flag) => [flag, attribute[flag] === true])),
    })),
    blocks: mapValues(block?.block_types ?? {}, (nested) => ({
      nesting: nested.nesting_mode,
      maxItems: nested.max_items,
      block: ofPrinted(nested.block ?? nested),
    })),
  };
}

function ofDerived(block: BlockSchema, only?: PrintedBlock): unknown {
  const names = Object.keys(only?.block_types ?? block.blocks);
  return {
    deprecated: block.deprecated ?? false,
    attributes: mapValues(block.attributes, (attribute: AttributeSchema) => ({
      type: attribute.type,
      writeOnly: attribute.writeOnly ?? false,
      ...Object.fromEntries(FLAGS.map((flag) => [flag, attribute[flag] ?? false])),
    })),
    blocks: mapValues(
      Object.fromEntries(Object.entries(block.blocks).filter(([name]) => names.includes(name))),
      (nested) => ({ nesting: nested.nesting, maxItems: nested.maxItems, block: ofDerived(nested.block) }),
    ),
  };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
