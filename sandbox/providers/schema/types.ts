// Terraform's schema model, as far as plugin protocol 5 carries it.

/** Terraform's own notation of a type, the one that `terraform providers schema -json` prints. */
export type CtyType =
  | "string"
  | "number"
  | "bool"
  | readonly ["list" | "set" | "map", CtyType]
  | readonly ["object", Readonly<Record<string, CtyType>>];

export interface AttributeSchema {
  readonly type: CtyType;
  readonly required?: boolean;
  readonly optional?: boolean;
  readonly computed?: boolean;
  readonly sensitive?: boolean;
  readonly writeOnly?: boolean;
  readonly deprecated?: boolean;
}

export interface NestedBlockSchema {
  readonly nesting: "list" | "set";
  readonly maxItems?: number;
  readonly block: BlockSchema;
}

export interface BlockSchema {
  readonly attributes: Readonly<Record<string, AttributeSchema>>;
  readonly blocks: Readonly<Record<string, NestedBlockSchema>>;
  readonly deprecated?: boolean;
}

export interface ResourceSchema {
  readonly version: number;
  readonly block: BlockSchema;
}

export interface ProviderSchema {
  readonly provider: BlockSchema;
  readonly resources: Readonly<Record<string, ResourceSchema>>;
  readonly dataSources: Readonly<Record<string, ResourceSchema>>;
}

/** What the bindings do not say about a block, and how much of it the stand-in serves. */
export interface BlockFacts {
  /** Names that the stand-in acts on. Any other that a configuration sets is an error. */
  readonly serves: readonly string[];
  /** Optional, and filled in by the server where the configuration leaves it out. */
  readonly computed?: readonly string[];
  /** Only ever filled in by the server; the bindings have no input for them. */
  readonly readOnly?: Readonly<Record<string, CtyType>>;
  readonly sensitive?: readonly string[];
  readonly writeOnly?: readonly string[];
  readonly deprecated?: readonly string[];
  /** A change needs a new object. */
  readonly forceNew?: readonly string[];
  readonly defaults?: Readonly<Record<string, string | number | boolean>>;
  /** Blocks in the bindings that are attributes of object type in the schema. */
  readonly attributeBlocks?: readonly string[];
  readonly blocks?: Readonly<Record<string, BlockFacts>>;
}

export interface ResourceFacts extends BlockFacts {
  /** @default 0 */
  readonly version?: number;
}
