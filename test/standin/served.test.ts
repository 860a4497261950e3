import { providerCalls, type Request } from "../../sandbox/providers/protocol/provider-calls";
import { encodeObject, UNKNOWN, type ObjectValue } from "../../sandbox/providers/protocol/values";
import { PROVIDERS } from "../../sandbox/providers/providers";
import { deriveProviderSchema } from "../../sandbox/providers/schema/derive";
import type { ProviderName } from "../../sandbox/providers/versions";

const SCHEMAS = {
  postgresql: deriveProviderSchema(PROVIDERS.postgresql),
  vault: deriveProviderSchema(PROVIDERS.vault),
};

async function errors(
  provider: ProviderName,
  call: string,
  type: string,
  config: ObjectValue,
): Promise<string[]> {
  const { calls } = providerCalls(PROVIDERS[provider], SCHEMAS[provider]);
  const request = { type_name: type, config: encodeObject(config) } as unknown as Request;
  const { diagnostics } = (await calls[call]?.(request)) as { diagnostics: { summary: string }[] };
  return diagnostics.map((each) => each.summary);
}

const resource = (provider: ProviderName, type: string, config: ObjectValue) =>
  errors(provider, "ValidateResourceTypeConfig", type, config);

describe("what the stand-ins do not serve", () => {
  it("is an error that names the attribute and the resource type", async () => {
    expect(await resource("vault", "vault_mount", { path: "x", type: "kv", plugin_version: "v1" })).toEqual([
      expect.stringContaining('does not serve "plugin_version" of vault_mount'),
    ]);
  });

  it("is an error in a block that is served", async () => {
    const config = { backend: "x", name: "x", postgresql: [{ username: "m", tls_ca: "pem" }] };
    expect(await resource("vault", "vault_database_secret_backend_connection", config)).toEqual([
      expect.stringContaining('does not serve "tls_ca"'),
    ]);
  });

  it("is an error as a whole block", async () => {
    const config = { backend: "x", name: "x", postgresql: [{}], mssql: [{ username: "m" }] };
    expect(await resource("vault", "vault_database_secret_backend_connection", config)).toEqual([
      expect.stringContaining('does not serve "mssql"'),
    ]);
  });

  it("is an error as a second block, of two that are served one at a time", async () => {
    const config = { backend: "x", name: "x", postgresql: [{}], mysql: [{ username: "m" }] };
    expect(await resource("vault", "vault_database_secret_backend_connection", config)).toEqual([
      expect.stringContaining('needs one block of "mysql", "postgresql"'),
    ]);
  });

  it("is an error where the value is not known yet", async () => {
    expect(await resource("postgresql", "postgresql_role", { name: "x", encrypted: UNKNOWN })).toEqual([
      expect.stringContaining('does not serve "encrypted"'),
    ]);
  });

  it("is an error in the configuration of a provider", async () => {
    expect(
      await errors("postgresql", "PrepareProviderConfig", "", { host: "h", aws_rds_iam_auth: true }),
    ).toEqual([expect.stringContaining('does not serve "aws_rds_iam_auth" of provider "postgresql"')]);
  });

  it("is an error as a kind of object to grant on", async () => {
    const config = { role: "r", database: "d", object_type: "foreign_server", privileges: ["USAGE"] };
    expect(await resource("postgresql", "postgresql_grant", config)).toContainEqual(
      expect.stringContaining('does not serve "object_type" = "foreign_server"'),
    );
  });

  it("is no error when it is absent, empty, or at its default", async () => {
    const config = { name: "d", alter_object_ownership: false, template: null };
    expect(await resource("postgresql", "postgresql_database", config)).toEqual([]);
    const grant = { role: "r", database: "d", object_type: "database", privileges: [], columns: [] };
    expect(await resource("postgresql", "postgresql_grant", grant)).toEqual([]);
  });
});

describe("a configuration that the real plugins refuse", () => {
  it("is refused with a write-only password that has no version", async () => {
    expect(await resource("postgresql", "postgresql_role", { name: "x", password_wo: UNKNOWN })).toEqual([
      expect.stringContaining("password_wo_version"),
    ]);
  });

  it("is refused with a privilege that the kind of object does not have", async () => {
    const config = { role: "r", database: "d", schema: "s", object_type: "schema", privileges: ["SELECT"] };
    expect(await resource("postgresql", "postgresql_grant", config)).toEqual([
      expect.stringContaining("SELECT is no privilege on a schema"),
    ]);
  });
});
