// Terraform's plugin protocol 5 and the plugin controller, as far as the stand-ins speak them: field numbers and
// types on the wire. Messages are named after their use; requests and responses that nobody reads are empty.
import { fromJSON, type PackageDefinition } from "@grpc/proto-loader";

type Field = readonly [number: number, type: string, rule?: "repeated" | "map"];
type Message = Readonly<Record<string, Field>>;

const VALUE = "DynamicValue";
const DIAGNOSTICS = (number: number): Field => [number, "Diagnostic", "repeated"];

const SHARED: Readonly<Record<string, Message>> = {
  DynamicValue: { msgpack: [1, "bytes"], json: [2, "bytes"] },
  Diagnostic: {
    severity: [1, "int32"],
    summary: [2, "string"],
    detail: [3, "string"],
    attribute: [4, "AttributePath"],
  },
  AttributePath: { steps: [1, "PathStep", "repeated"] },
  PathStep: {
    attribute_name: [1, "string"],
    element_key_string: [2, "string"],
    element_key_int: [3, "int64"],
  },
  RawState: { json: [1, "bytes"], flatmap: [2, "string", "map"] },
  Schema: { version: [1, "int64"], block: [2, "Block"] },
  Block: {
    version: [1, "int64"],
    attributes: [2, "Attribute", "repeated"],
    block_types: [3, "NestedBlock", "repeated"],
    deprecated: [6, "bool"],
  },
  Attribute: {
    name: [1, "string"],
    type: [2, "bytes"],
    required: [4, "bool"],
    optional: [5, "bool"],
    computed: [6, "bool"],
    sensitive: [7, "bool"],
    deprecated: [9, "bool"],
    write_only: [10, "bool"],
  },
  NestedBlock: {
    type_name: [1, "string"],
    block: [2, "Block"],
    nesting: [3, "int32"],
    min_items: [4, "int64"],
    max_items: [5, "int64"],
  },
  ResourceName: { type_name: [1, "string"] },
  ServerCapabilities: { plan_destroy: [1, "bool"], get_provider_schema_optional: [2, "bool"] },
  ImportedResource: { type_name: [1, "string"], state: [2, VALUE], private: [3, "bytes"] },
};

/** Each call with the fields of its request and of its response. */
const CALLS: Readonly<Record<string, readonly [request: Message, response: Message]>> = {
  GetMetadata: [
    {},
    {
      server_capabilities: [1, "ServerCapabilities"],
      diagnostics: DIAGNOSTICS(2),
      data_sources: [3, "ResourceName", "repeated"],
      resources: [4, "ResourceName", "repeated"],
    },
  ],
  GetSchema: [
    {},
    {
      provider: [1, "Schema"],
      resource_schemas: [2, "Schema", "map"],
      data_source_schemas: [3, "Schema", "map"],
      diagnostics: DIAGNOSTICS(4),
      server_capabilities: [6, "ServerCapabilities"],
    },
  ],
  PrepareProviderConfig: [
    { config: [1, VALUE] },
    { prepared_config: [1, VALUE], diagnostics: DIAGNOSTICS(2) },
  ],
  ValidateResourceTypeConfig: [
    { type_name: [1, "string"], config: [2, VALUE] },
    { diagnostics: DIAGNOSTICS(1) },
  ],
  ValidateDataSourceConfig: [
    { type_name: [1, "string"], config: [2, VALUE] },
    { diagnostics: DIAGNOSTICS(1) },
  ],
  ReadDataSource: [
    { type_name: [1, "string"], config: [2, VALUE] },
    { state: [1, VALUE], diagnostics: DIAGNOSTICS(2) },
  ],
  UpgradeResourceState: [
    { type_name: [1, "string"], version: [2, "int64"], raw_state: [3, "RawState"] },
    { upgraded_state: [1, VALUE], diagnostics: DIAGNOSTICS(2) },
  ],
  Configure: [{ terraform_version: [1, "string"], config: [2, VALUE] }, { diagnostics: DIAGNOSTICS(1) }],
  ReadResource: [
    { type_name: [1, "string"], current_state: [2, VALUE], private: [3, "bytes"] },
    { new_state: [1, VALUE], diagnostics: DIAGNOSTICS(2), private: [3, "bytes"] },
  ],
  PlanResourceChange: [
    {
      type_name: [1, "string"],
      prior_state: [2, VALUE],
      proposed_new_state: [3, VALUE],
      config: [4, VALUE],
      prior_private: [5, "bytes"],
    },
    {
      planned_state: [1, VALUE],
      requires_replace: [2, "AttributePath", "repeated"],
      planned_private: [3, "bytes"],
      diagnostics: DIAGNOSTICS(4),
      legacy_type_system: [5, "bool"],
    },
  ],
  ApplyResourceChange: [
    {
      type_name: [1, "string"],
      prior_state: [2, VALUE],
      planned_state: [3, VALUE],
      config: [4, VALUE],
      planned_private: [5, "bytes"],
    },
    {
      new_state: [1, VALUE],
      private: [2, "bytes"],
      diagnostics: DIAGNOSTICS(3),
      legacy_type_system: [4, "bool"],
    },
  ],
  ImportResourceState: [
    { type_name: [1, "string"], id: [2, "string"] },
    { imported_resources: [1, "ImportedResource", "repeated"], diagnostics: DIAGNOSTICS(2) },
  ],
  Stop: [{}, { Error: [1, "string"] }],
};

export function protocolDefinition(): PackageDefinition {
  const messages: Record<string, object> = {};
  const methods: Record<string, object> = {};
  for (const [name, message] of Object.entries(SHARED)) {
    messages[name] = { fields: fields(message) };
  }
  for (const [name, [request, response]] of Object.entries(CALLS)) {
    messages[`${name}Request`] = { fields: fields(request) };
    messages[`${name}Response`] = { fields: fields(response) };
    methods[name] = { requestType: `${name}Request`, responseType: `${name}Response` };
  }
  const plugin = {
    Empty: { fields: {} },
    GRPCController: { methods: { Shutdown: { requestType: "Empty", responseType: "Empty" } } },
  };
  return fromJSON(
    {
      options: { syntax: "proto3" },
      nested: {
        tfplugin5: { nested: { ...messages, Provider: { methods } } },
        plugin: { nested: plugin },
      },
    } as Parameters<typeof fromJSON>[0],
    { keepCase: true, longs: Number, bytes: Buffer, defaults: true },
  );
}

function fields(message: Message): Record<string, object> {
  return Object.fromEntries(
    Object.entries(message).map(([name, [id, type, rule]]) => [
      name,
      rule === "map" ? { id, type, keyType: "string" } : { id, type, ...(rule ? { rule } : {}) },
    ]),
  );
}
