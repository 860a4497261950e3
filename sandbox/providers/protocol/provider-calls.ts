// Answers the calls of plugin protocol 5 for a provider: schemas, and the life of its resources.
import { Attributes } from "../resource/attributes";
import { plan } from "../resource/plan";
import { unservedAttributes } from "../resource/served";
import { newState, type Occasion } from "../resource/state";
import { MadeButFailed, type DataSourceType, type ProviderType, type ResourceType } from "../resource/type";
import type { ProviderSchema, ResourceSchema } from "../schema/types";
import { attributeDiagnostic, attributePath, errorDiagnostic, type Diagnostic } from "./diagnostics";
import { schemaMessage } from "./schema-message";
import { upgradeState, type RawState } from "./upgrade";
import { decodeObject, encodeObject, type DynamicValue, type ObjectValue } from "./values";

export interface Request {
  readonly type_name: string;
  readonly id: string;
  readonly config?: DynamicValue;
  readonly current_state?: DynamicValue;
  readonly prior_state?: DynamicValue;
  readonly planned_state?: DynamicValue;
  readonly proposed_new_state?: DynamicValue;
  readonly raw_state?: RawState;
  readonly private?: Buffer;
  readonly prior_private?: Buffer;
  readonly planned_private?: Buffer;
}

export type Response = Record<string, unknown>;
type Call = (request: Request) => Response | Promise<Response>;

/** The calls by name; an exception in one of them becomes its error diagnostic. */
export function providerCalls<Client>(
  provider: ProviderType<Client>,
  schema: ProviderSchema,
): { calls: Readonly<Record<string, Call>>; close(): Promise<void> } {
  const server = new ProviderCalls(provider, schema);
  const calls: Record<string, Call> = {
    GetMetadata: () => ({
      server_capabilities: {},
      resources: Object.keys(schema.resources).map((type_name) => ({ type_name })),
      data_sources: Object.keys(schema.dataSources).map((type_name) => ({ type_name })),
    }),
    GetSchema: () => ({
      provider: schemaMessage({ version: 0, block: schema.provider }),
      resource_schemas: schemaMessages(schema.resources),
      data_source_schemas: schemaMessages(schema.dataSources),
      server_capabilities: {},
    }),
    PrepareProviderConfig: (request) => server.validateProvider(request),
    ValidateResourceTypeConfig: (request) => server.validateResource(request),
    ValidateDataSourceConfig: (request) => server.validateDataSource(request),
    ReadDataSource: (request) => server.readDataSource(request),
    UpgradeResourceState: (request) => server.upgrade(request),
    Configure: (request) => server.configure(request),
    ReadResource: (request) => server.read(request),
    PlanResourceChange: (request) => server.planChange(request),
    ApplyResourceChange: (request) => server.apply(request),
    ImportResourceState: (request) => server.import(request),
    Stop: () => ({}),
  };
  return { calls, close: () => server.close() };
}

const NOT_SERVED = "the sandbox's stand-in for the provider plugin does not serve";

class ProviderCalls<Client> {
  private client: Client | undefined;

  public constructor(
    private readonly provider: ProviderType<Client>,
    private readonly schema: ProviderSchema,
  ) {}

  public validateProvider({ config }: Request): Response {
    const { name, facts } = this.provider;
    const values = decodeObject(config) ?? {};
    const errors = unservedAttributes(`provider "${name}"`, this.schema.provider, facts, values);
    return { prepared_config: config, diagnostics: toDiagnostics(errors) };
  }

  public validateResource({ type_name: type, config }: Request): Response {
    const { resource, schema } = this.type(type);
    const values = decodeObject(config) ?? {};
    return {
      diagnostics: toDiagnostics([
        ...unservedAttributes(type, schema.block, resource.facts, values),
        ...(resource.validate?.(new Attributes(values)) ?? []),
      ]),
    };
  }

  public validateDataSource({ type_name: type, config }: Request): Response {
    const { source, schema } = this.dataSource(type);
    const errors = unservedAttributes(`data ${type}`, schema.block, source.facts, decodeObject(config) ?? {});
    return { diagnostics: toDiagnostics(errors) };
  }

  public async readDataSource({ type_name: type, config }: Request): Promise<Response> {
    const { source, schema } = this.dataSource(type);
    const known = decodeObject(config) ?? {};
    const read = await source.read(this.configured(), new Attributes(known));
    return { state: encodeObject(newState(schema.block, this.emptyState(schema, known), read, "apply")) };
  }

  public upgrade({ type_name: type, raw_state: raw }: Request): Response {
    return { upgraded_state: encodeObject(upgradeState(this.type(type).schema.block, raw)) };
  }

  public async configure({ config }: Request): Promise<Response> {
    this.client = await this.provider.configure(new Attributes(decodeObject(config) ?? {}), process.env);
    return {};
  }

  public async read({ type_name: type, current_state: current, private: kept }: Request): Promise<Response> {
    const known = decodeObject(current);
    const state = known === null ? null : await this.readState(type, idOf(known), known, "refresh");
    return { new_state: encodeObject(state), private: kept };
  }

  public planChange(request: Request): Response {
    const { resource, schema } = this.type(request.type_name);
    const prior = decodeObject(request.prior_state);
    const proposed = decodeObject(request.proposed_new_state);
    if (proposed === null) {
      return { planned_state: encodeObject(null), planned_private: request.prior_private };
    }
    const { planned, replace } = plan({
      schema: schema.block,
      facts: resource.facts,
      prior,
      config: decodeObject(request.config) ?? proposed,
      normalize: resource.normalize?.bind(resource),
    });
    const more = prior === null ? [] : (resource.replaces?.(new Attributes(planned, prior)) ?? []);
    const paths = [...replace, ...more];
    return {
      planned_state: encodeObject(planned),
      requires_replace: (prior === null || paths.length > 0 ? [...paths, "id"] : []).map(attributePath),
      planned_private: request.prior_private,
      legacy_type_system: true,
    };
  }

  public async apply(request: Request): Promise<Response> {
    const { resource } = this.type(request.type_name);
    const client = this.configured();
    const prior = decodeObject(request.prior_state);
    const planned = decodeObject(request.planned_state);
    const answer = { private: request.planned_private, legacy_type_system: true };
    if (planned === null) {
      if (prior !== null) {
        await this.orKeep(prior, () => resource.delete(client, idOf(prior), new Attributes(prior)));
      }
      return { ...answer, new_state: encodeObject(null) };
    }
    const wanted = new Attributes(planned, prior, decodeObject(request.config));
    if (prior === null) {
      try {
        const id = await resource.create(client, wanted);
        return { ...answer, new_state: encodeObject(await this.readMade(request.type_name, id, planned)) };
      } catch (error) {
        const made =
          error instanceof MadeButFailed ? this.settle(request.type_name, error.id, planned) : null;
        return { ...answer, new_state: encodeObject(made), diagnostics: [errorDiagnostic(error)] };
      }
    }
    return this.orKeep(prior, async () => {
      const id = (await resource.update?.(client, idOf(prior), wanted)) ?? idOf(prior);
      const state = await this.readState(request.type_name, id, planned, "apply");
      return { ...answer, new_state: encodeObject(state) };
    });
  }

  /** Only the id is known then; Terraform reads the rest next, and says if there is no such object. */
  public import({ type_name: type, id }: Request): Response {
    const { resource, schema } = this.type(type);
    if (!resource.importable) throw new Error(`resource ${type} doesn't support import`);
    const state = newState(schema.block, this.emptyState(schema, {}), { id }, "apply");
    return { imported_resources: [{ type_name: type, state: encodeObject(state) }] };
  }

  public async close(): Promise<void> {
    if (this.client !== undefined) {
      await this.provider.close(this.client);
    }
  }

  /** A standby of OpenBao answers reads itself, and may not have yet what the leader has just made. */
  private async readMade(type: string, id: string, planned: ObjectValue): Promise<ObjectValue | null> {
    for (let attempt = 1; ; attempt++) {
      const state = await this.readState(type, id, planned, "apply");
      if (state !== null || attempt === 10) return state;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  private async readState(
    type: string,
    id: string,
    known: ObjectValue,
    occasion: Occasion,
  ): Promise<ObjectValue | null> {
    const { resource, schema } = this.type(type);
    const result = await resource.read(this.configured(), id, new Attributes(known));
    if (result === undefined) {
      return null;
    }
    const complete = this.emptyState(schema, known);
    return newState(schema.block, complete, { ...result.attributes, id: result.id ?? id }, occasion);
  }

  /** What is known of an object that was made but could not be finished. */
  private settle(type: string, id: string, planned: ObjectValue): ObjectValue {
    return newState(this.type(type).schema.block, planned, { id }, "apply");
  }

  private emptyState(schema: ResourceSchema, known: ObjectValue): ObjectValue {
    return {
      ...Object.fromEntries(Object.keys(schema.block.attributes).map((name) => [name, null])),
      ...known,
    };
  }

  /** A failed change leaves the state as it was. */
  private async orKeep(prior: ObjectValue, change: () => Promise<Response | void>): Promise<Response> {
    try {
      return (await change()) ?? {};
    } catch (error) {
      throw new ChangeFailed(prior, error);
    }
  }

  private configured(): Client {
    if (this.client === undefined) {
      throw new Error(`the ${this.provider.name} provider has not been configured`);
    }
    return this.client;
  }

  private dataSource(name: string): { source: DataSourceType<Client>; schema: ResourceSchema } {
    const source = this.provider.dataSources[name];
    const schema = this.schema.dataSources[name];
    if (source === undefined || schema === undefined) throw new Error(`${NOT_SERVED} data ${name}`);
    return { source, schema };
  }

  private type(name: string): { resource: ResourceType<Client>; schema: ResourceSchema } {
    const resource = this.provider.resources[name];
    const schema = this.schema.resources[name];
    if (resource === undefined || schema === undefined) throw new Error(`${NOT_SERVED} ${name}`);
    return { resource, schema };
  }
}

/** Carries the state to keep along with the error. */
export class ChangeFailed extends Error {
  public constructor(
    public readonly prior: ObjectValue,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

export function failedResponse(error: unknown): Response {
  const kept = error instanceof ChangeFailed ? { new_state: encodeObject(error.prior) } : {};
  return { ...kept, diagnostics: [errorDiagnostic(error)] };
}

function schemaMessages(schemas: ProviderSchema["resources"]): Record<string, object> {
  return Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, schemaMessage(schema)]));
}

function toDiagnostics(errors: readonly { attribute: string; summary: string }[]): Diagnostic[] {
  return errors.map(({ attribute, summary }) => attributeDiagnostic(attribute, summary));
}

function idOf(state: ObjectValue): string {
  return typeof state.id === "string" ? state.id : "";
}
