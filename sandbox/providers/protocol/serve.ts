// Runs a provider as a plugin: the handshake on standard output, then gRPC over a Unix socket with TLS on both
// sides. Terraform checks the plugin's certificate against the one in the handshake, the plugin checks Terraform's.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { selfSignedCertificate } from "./certificate";
import { protocolDefinition } from "./descriptor";
import { failedResponse, type Request, type Response } from "./provider-calls";

export interface PluginServer {
  readonly calls: Readonly<Record<string, (request: Request) => Response | Promise<Response>>>;
  close(): Promise<void>;
}

type Unary = (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => void;

const CORE_PROTOCOL = 1;
const PLUGIN_PROTOCOL = 5;
/** Less than Terraform waits before it kills a plugin. */
const SHUTDOWN_MS = 500;

export async function servePlugin(plugin: PluginServer, environment: NodeJS.ProcessEnv): Promise<void> {
  const clientCertificate = environment.PLUGIN_CLIENT_CERT;
  if (clientCertificate === undefined || clientCertificate === "") {
    throw new Error("This is a Terraform provider plugin; Terraform starts it, nobody else.");
  }
  const directory = mkdtempSync(join(environment.PLUGIN_UNIX_SOCKET_DIR ?? tmpdir(), "standin-"));
  let stopping = false;
  const stop = async (code: number) => {
    if (stopping) {
      return;
    }
    stopping = true;
    await plugin.close().catch(() => undefined);
    rmSync(directory, { recursive: true, force: true });
    process.exit(code);
  };
  // Terraform ends its plugins itself; an interrupt at the terminal must not cut off a change in the middle.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => void stop(0));

  const certificate = selfSignedCertificate("localhost");
  const server = grpcServer(plugin, () => {
    // The answer to the call has to get out first.
    server.tryShutdown(() => void stop(0));
    setTimeout(() => void stop(0), SHUTDOWN_MS);
  });
  const socket = join(directory, "plugin.sock");
  const credentials = ServerCredentials.createSsl(
    Buffer.from(clientCertificate),
    [{ private_key: Buffer.from(certificate.keyPem), cert_chain: Buffer.from(certificate.certificatePem) }],
    true,
  );
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${socket}`, credentials, (error) => (error ? reject(error) : resolve())),
  );
  const unpadded = certificate.der.toString("base64").replace(/=+$/, "");
  process.stdout.write(`${CORE_PROTOCOL}|${PLUGIN_PROTOCOL}|unix|${socket}|grpc|${unpadded}\n`);
}

function grpcServer(plugin: PluginServer, shutdown: () => void): Server {
  const definition = loadPackageDefinition(protocolDefinition()) as unknown as {
    tfplugin5: { Provider: ServiceClientConstructor };
    plugin: { GRPCController: ServiceClientConstructor };
  };
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(
    definition.tfplugin5.Provider.service,
    Object.fromEntries(Object.entries(plugin.calls).map(([name, call]) => [name, unary(call)])),
  );
  server.addService(definition.plugin.GRPCController.service, {
    Shutdown: ((_call, callback) => {
      callback(null, {});
      shutdown();
    }) as Unary,
  });
  return server;
}

function unary(call: (request: Request) => Response | Promise<Response>): Unary {
  return ({ request }, callback) => {
    Promise.resolve()
      .then(() => call(request))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(null, failedResponse(error)),
      );
  };
}
