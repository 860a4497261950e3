import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type Client,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { selfSignedCertificate } from "../../sandbox/providers/protocol/certificate";
import { protocolDefinition } from "../../sandbox/providers/protocol/descriptor";
import {
  decodeObject,
  encodeObject,
  UNKNOWN,
  type ObjectValue,
} from "../../sandbox/providers/protocol/values";
import { installStandIns } from "../../sandbox/providers/install";
import { providerVersion } from "../../sandbox/providers/versions";

const directory = mkdtempSync(join(tmpdir(), "plugin-test-"));
const terraform = selfSignedCertificate("localhost");
let child: ChildProcess;
let clients: Client[] = [];
let handshake: string[];

beforeAll(async () => {
  await installStandIns(directory);
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

beforeEach(async () => {
  child = spawn(executable("registry.terraform.io"), [], {
    env: {
      PATH: process.env.PATH,
      PLUGIN_CLIENT_CERT: terraform.certificatePem,
      PLUGIN_UNIX_SOCKET_DIR: directory,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once("data", (data: Buffer) => resolve(data.toString().trim()));
    child.once("exit", () => reject(new Error("the plugin ended before its handshake")));
  });
  handshake = line.split("|");
});

afterEach(() => {
  clients.forEach((client) => client.close());
  clients = [];
  child.kill("SIGKILL");
});

function executable(host: string): string {
  const version = providerVersion("vault");
  const platforms = join(directory, "mirror", host, "hashicorp", "vault", version);
  return join(platforms, readdirSync(platforms)[0] ?? "", `terraform-provider-vault_v${version}`);
}

type Call = (request: object) => Promise<Record<string, unknown>>;

function connect(service: "Provider" | "GRPCController", as = terraform): (method: string) => Call {
  const [, , , socket, , certificate] = handshake;
  const pem = `-----BEGIN CERTIFICATE-----\n${certificate}${"=".repeat((4 - ((certificate?.length ?? 0) % 4)) % 4)}\n-----END CERTIFICATE-----\n`;
  const definition = loadPackageDefinition(protocolDefinition()) as unknown as Record<
    string,
    Record<string, ServiceClientConstructor>
  >;
  const Service = definition[service === "Provider" ? "tfplugin5" : "plugin"]?.[service];
  if (Service === undefined) {
    throw new Error(`no service ${service}`);
  }
  const tls = credentials.createSsl(Buffer.from(pem), Buffer.from(as.keyPem), Buffer.from(as.certificatePem));
  const client = new Service(`unix:${socket}`, tls, {
    "grpc.ssl_target_name_override": "localhost",
    "grpc.default_authority": "localhost",
  });
  clients.push(client);
  const methods = client as unknown as Record<
    string,
    (request: object, done: (error: Error | null, response: Record<string, unknown>) => void) => void
  >;
  return (method) => (request) =>
    new Promise((resolve, reject) => {
      methods[method]?.call(client, request, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
}

describe("the plugin", () => {
  it("says in its handshake what it speaks, and where", () => {
    expect(handshake.slice(0, 3)).toEqual(["1", "5", "unix"]);
    expect(handshake[4]).toBe("grpc");
    expect(handshake[5]).not.toContain("=");
  });

  it("gives its schema to Terraform", async () => {
    const schema = await connect("Provider")("GetSchema")({});
    expect(Object.keys(schema.resource_schemas as object)).toContain("vault_policy");
    expect(schema.diagnostics).toEqual([]);
  });

  it("plans a creation with what only the server knows left open", async () => {
    const config: ObjectValue = { type: "approle", description: "people" };
    const planned = await connect("Provider")("PlanResourceChange")({
      type_name: "vault_auth_backend",
      prior_state: encodeObject(null),
      proposed_new_state: encodeObject(config),
      config: encodeObject(config),
    });
    expect(planned.legacy_type_system).toBe(true);
    expect(decodeObject(planned.planned_state as { msgpack: Buffer })).toMatchObject({
      type: "approle",
      path: UNKNOWN,
      accessor: UNKNOWN,
      disable_remount: false,
    });
  });

  it("answers a failure with a diagnostic, not by breaking the connection", async () => {
    const answer = await connect("Provider")("ReadResource")({
      type_name: "vault_policy",
      current_state: encodeObject({ id: "x" }),
    });
    expect(answer.diagnostics).toEqual([
      expect.objectContaining({ summary: expect.stringContaining("not been configured") as unknown }),
    ]);
  });

  it("talks to nobody but the Terraform that started it", async () => {
    const stranger = selfSignedCertificate("localhost");
    await expect(connect("Provider", stranger)("GetSchema")({})).rejects.toThrow();
  });

  it("ends when Terraform is done, and leaves nothing behind", async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await connect("GRPCController")("Shutdown")({});
    expect(await ended).toBe(0);
    expect(existsSync(dirname(handshake[3] ?? ""))).toBe(false);
  });
});

describe("the installed packages", () => {
  it("are the same for Terraform and for OpenTofu", () => {
    const read = (host: string) => readFileSync(executable(host), "utf8");
    expect(read("registry.opentofu.org")).toBe(read("registry.terraform.io"));
  });

  it("are taken by Terraform for these two providers only", () => {
    const text = readFileSync(join(directory, "terraform.rc"), "utf8");
    for (const part of [/filesystem_mirror \{[^}]*include = \[(.*)\]/, /direct \{[^}]*exclude = \[(.*)\]/]) {
      const list = part.exec(text)?.[1]?.split(", ").sort();
      expect(list).toEqual([
        '"registry.opentofu.org/cyrilgdn/postgresql"',
        '"registry.opentofu.org/hashicorp/vault"',
        '"registry.terraform.io/cyrilgdn/postgresql"',
        '"registry.terraform.io/hashicorp/vault"',
      ]);
    }
  });
});
