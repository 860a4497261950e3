import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { providerCalls, type Request } from "../../sandbox/providers/protocol/provider-calls";
import { failedResponse } from "../../sandbox/providers/protocol/provider-calls";
import { decodeObject, encodeObject, type ObjectValue } from "../../sandbox/providers/protocol/values";
import { PROVIDERS } from "../../sandbox/providers/providers";
import { deriveProviderSchema } from "../../sandbox/providers/schema/derive";

const SCHEMA = deriveProviderSchema(PROVIDERS.vault);
const CONNECTION = "vault_database_secret_backend_connection";

interface Received {
  readonly call: string;
  readonly namespace: string | undefined;
  readonly body: Record<string, unknown>;
}

let server: Server;
let received: Received[];
let answers: Record<string, [status: number, body: object]>;
let call: (name: string, request: Record<string, unknown>) => Promise<Record<string, unknown>>;

beforeEach(async () => {
  received = [];
  answers = {};
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const key = `${request.method} ${(request.url ?? "").replace("/v1/", "")}`;
      const namespace = request.headers["x-vault-namespace"] as string | undefined;
      received.push({ call: key, namespace, body: JSON.parse(body || "{}") as Record<string, unknown> });
      const [status, answer] = answers[key] ?? [404, { errors: [] }];
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { calls } = providerCalls(PROVIDERS.vault, SCHEMA);
  call = async (name, request) => {
    try {
      return (await calls[name]?.(request as unknown as Request)) ?? {};
    } catch (error) {
      return failedResponse(error);
    }
  };
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = { address, token: "provider-token", namespace: "team", skip_child_token: true };
  await call("Configure", { config: encodeObject(config) });
});

afterEach(() => new Promise((resolve) => server.close(resolve)));

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function connection(version: number): { planned: ObjectValue; config: ObjectValue } {
  const postgresql = { connection_url: "postgresql://{{username}}:{{password}}@db/app", username: "manager" };
  const known = { backend: "db", name: "app", verify_connection: true, allowed_roles: ["reader"] };
  const planned = { ...postgresql, password_wo: null, password_wo_version: version };
  return {
    planned: { ...known, postgresql: [planned] },
    config: { ...known, postgresql: [{ ...planned, password_wo: "the-password" }] },
  };
}

function apply(prior: ObjectValue | null, { planned, config }: ReturnType<typeof connection>) {
  return call("ApplyResourceChange", {
    type_name: CONNECTION,
    prior_state: encodeObject(prior),
    planned_state: encodeObject(planned),
    config: encodeObject(config),
  });
}

describe("a write-only password", () => {
  beforeEach(() => {
    answers["PUT db/config/app"] = [204, {}];
    answers["GET db/config/app"] = [200, { data: { connection_details: {}, allowed_roles: ["reader"] } }];
  });

  it("is sent when its version changes, and only then", async () => {
    await apply(null, connection(1));
    await apply({ ...connection(1).planned, id: "db/config/app" }, connection(1));
    await apply({ ...connection(1).planned, id: "db/config/app" }, connection(2));
    const sent = received.filter((each) => each.call.startsWith("PUT")).map((each) => each.body.password);
    expect(sent).toEqual(["the-password", undefined, "the-password"]);
  });

  it("is not in the state", async () => {
    const { new_state: state } = await apply(null, connection(1));
    expect(JSON.stringify(decodeObject(state as { msgpack: Buffer }))).not.toContain("the-password");
  });
});

describe("a refusal of the server", () => {
  it("is shown in its own words, without what was sent, and nothing counts as made", async () => {
    answers["PUT db/config/app"] = [400, { errors: ["error verifying connection: no such host"] }];
    const answer = await apply(null, connection(1));
    expect(answer.diagnostics).toEqual([
      expect.objectContaining({
        summary: expect.stringContaining("verifying connection: no such host") as unknown,
      }),
    ]);
    expect(JSON.stringify(answer.diagnostics)).not.toMatch(/the-password|provider-token/);
    expect(decodeObject(answer.new_state as { msgpack: Buffer })).toBeNull();
  });

  it("leaves the state of a change as it was", async () => {
    answers["PUT db/config/app"] = [500, { errors: ["internal"] }];
    const prior = { ...connection(1).planned, id: "db/config/app" };
    const answer = await apply(prior, connection(2));
    expect(decodeObject(answer.new_state as { msgpack: Buffer })).toEqual(prior);
    expect(answer.diagnostics).toHaveLength(1);
  });
});

describe("reading", () => {
  const read = async (type: string, state: ObjectValue) => {
    const answer = await call("ReadResource", { type_name: type, current_state: encodeObject(state) });
    expect(answer.diagnostics).toBeUndefined();
    return decodeObject(answer.new_state as { msgpack: Buffer });
  };

  it("takes what is not there any more out of the state", async () => {
    expect(await read(CONNECTION, { id: "db/config/app" })).toBeNull();
    answers["GET sys/mounts/db"] = [400, { errors: ["No secret engine mount at db/"] }];
    expect(await read("vault_mount", { id: "db" })).toBeNull();
  });

  it("has a policy that is gone as an empty one, for the plan to write again", async () => {
    expect(await read("vault_policy", { id: "p", name: "p", policy: "x" })).toMatchObject({ policy: "" });
  });

  it("asks in the namespace of the provider, and below it in that of the resource", async () => {
    await read("vault_policy", { id: "p", namespace: null });
    await read("vault_policy", { id: "p", namespace: "squad" });
    expect(received.map((each) => each.namespace)).toEqual(["team", "team/squad"]);
  });
});

describe("a static role", () => {
  const type = "vault_database_secret_backend_static_role";
  const role = { backend: "db", name: "legacy", db_name: "app", username: "legacy", rotation_period: 3600 };
  const found = { db_name: "app", username: "legacy", rotation_period: 3600, rotation_statements: [] };
  const id = "db/static-roles/legacy";
  const decoded = (state: unknown) => decodeObject(state as { msgpack: Buffer });

  it("is imported by its path", async () => {
    answers[`GET ${id}`] = [200, { data: { ...found, credential_type: "password" } }];
    const { imported_resources } = await call("ImportResourceState", { type_name: type, id });
    const [imported] = imported_resources as { state: unknown }[];
    const { new_state } = await call("ReadResource", { type_name: type, current_state: imported?.state });
    expect(decoded(new_state)).toMatchObject({ ...role, id, credential_type: "password" });
  });

  it.each([
    [{ name: "other" }, ["name", "id"]],
    [{ username: "other" }, ["username", "id"]],
    [{ db_name: "other" }, ["db_name", "id"]],
    [{ backend: "other" }, ["backend", "id"]],
    [{ rotation_period: 60 }, []],
    [{ rotation_statements: ["SELECT 1"] }, []],
  ])("with %j replaces it for %j", async (change, replaced) => {
    const { requires_replace } = await call("PlanResourceChange", {
      type_name: type,
      prior_state: encodeObject({ ...role, id, credential_type: "password" }),
      proposed_new_state: encodeObject({ ...role, ...change, id, credential_type: "password" }),
      config: encodeObject({ ...role, ...change }),
    });
    const paths = (requires_replace ?? []) as { steps: { attribute_name: string }[] }[];
    expect(paths.map(({ steps }) => steps[0]?.attribute_name)).toEqual(replaced);
  });

  it("is written whole, so that statements that are left out are taken away", async () => {
    answers[`PUT ${id}`] = [204, {}];
    answers[`GET ${id}`] = [200, { data: found }];
    await call("ApplyResourceChange", {
      type_name: type,
      prior_state: encodeObject({ ...role, id, rotation_statements: ["SELECT 1"] }),
      planned_state: encodeObject({ ...role, id, rotation_statements: [] }),
      config: encodeObject(role),
    });
    expect(received.find((each) => each.call === `PUT ${id}`)?.body).toEqual({
      db_name: "app",
      username: "legacy",
      rotation_period: 3600,
      rotation_statements: [],
    });
  });

  it("is refused with a rotation period under 5 seconds", async () => {
    const config = encodeObject({ ...role, rotation_period: 4 });
    const { diagnostics } = await call("ValidateResourceTypeConfig", { type_name: type, config });
    expect(diagnostics).toMatchObject([{ summary: expect.stringContaining("5 seconds or more") as unknown }]);
  });
});

describe("a secret of a key-value engine", () => {
  const type = "vault_kv_secret_v2";
  const secret = { mount: "team/kv", name: "app/password", disable_read: true, delete_all_versions: true };
  const written = "PUT team/kv/data/app/password";
  const apply = (version: number, prior?: number) =>
    call("ApplyResourceChange", {
      type_name: type,
      prior_state: encodeObject(
        prior === undefined
          ? null
          : { ...secret, data_json_wo_version: prior, id: "team/kv/data/app/password" },
      ),
      planned_state: encodeObject({ ...secret, data_json_wo: null, data_json_wo_version: version }),
      config: encodeObject({
        ...secret,
        data_json_wo: '{"password":"hidden"}',
        data_json_wo_version: version,
      }),
    });

  it("is sent with its version, is not read back, and is not in the state", async () => {
    answers[written] = [200, {}];
    for (const [version, prior] of [[1], [2, 1]] as const) {
      const { new_state: state } = await apply(version, prior);
      expect(JSON.stringify(decodeObject(state as { msgpack: Buffer }))).not.toContain("hidden");
    }
    const sent = { data: { password: "hidden" }, options: {} };
    expect(received.map(({ call: made, body }) => [made, body])).toEqual([
      [written, sent],
      [written, sent],
    ]);
  });

  it("is written again where the engine is still making itself one of version 2", async () => {
    answers[written] = [400, { errors: ["Upgrading from non-versioned to versioned data."] }];
    const applied = apply(1);
    while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    answers[written] = [200, {}];
    expect((await applied).diagnostics).toBeUndefined();
    expect(received).toHaveLength(2);
  });

  it("is refused where it would be read", async () => {
    const config = encodeObject({ ...secret, disable_read: null, data_json: "{}" });
    const { diagnostics } = await call("ValidateResourceTypeConfig", { type_name: type, config });
    expect(diagnostics).toMatchObject([{ summary: expect.stringContaining("disable_read") as unknown }]);
  });
});
