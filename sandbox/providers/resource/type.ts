// What a resource type has to say for itself; everything that all of them share is in the other files here.
import type { BlockFacts, ResourceFacts } from "../schema/types";
import type { ProviderName } from "../versions";
import type { ObjectValue, Value } from "../protocol/values";
import type { Attributes } from "./attributes";

export interface ResourceType<Client> {
  readonly facts: ResourceFacts;
  /** The id under which the object was made. Failing after that, throw {@link MadeButFailed}. */
  create(client: Client, wanted: Attributes): Promise<string>;
  /** What the server says, of the attributes that it says something about; undefined if the object is gone. */
  read(client: Client, id: string, known: Attributes): Promise<ReadResult | undefined>;
  /** The id afterwards. Leave out where every change needs a new object. */
  update?(client: Client, id: string, wanted: Attributes): Promise<string>;
  delete(client: Client, id: string, known: Attributes): Promise<void>;
  /** Whether `terraform import` works; it then starts from {@link read} with nothing known but the id. */
  readonly importable: boolean;
  /** Errors in a configuration, beyond what the schema says. */
  validate?(config: Attributes): readonly AttributeError[];
  /** The form in which a configured value is kept, where that differs from how it was written. */
  normalize?(name: string, value: Value): Value;
  /** Attributes whose change needs a new object for this change only. */
  replaces?(wanted: Attributes): readonly string[];
}

/** What Terraform looks up, and does not make. */
export interface DataSourceType<Client> {
  readonly facts: ResourceFacts;
  /** Its attributes, `id` among them. */
  read(client: Client, config: Attributes): Promise<ObjectValue>;
}

export interface ReadResult {
  /** @default the id it was read by */
  readonly id?: string;
  readonly attributes: ObjectValue;
}

export interface AttributeError {
  readonly attribute: string;
  readonly summary: string;
}

/** The object exists, but not yet as wanted: Terraform keeps it, tainted, to replace it at the next apply. */
export class MadeButFailed extends Error {
  public constructor(
    public readonly id: string,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

export interface ProviderType<Client> {
  readonly name: ProviderName;
  readonly facts: BlockFacts;
  readonly resources: Readonly<Record<string, ResourceType<Client>>>;
  readonly dataSources: Readonly<Record<string, DataSourceType<Client>>>;
  configure(config: Attributes, environment: NodeJS.ProcessEnv): Promise<Client>;
  /** Called once, when Terraform is done with the plugin. */
  close(client: Client): Promise<void>;
}
