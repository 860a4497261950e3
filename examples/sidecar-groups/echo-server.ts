import { readFile } from "node:fs/promises";
import * as net from "node:net";
import { createConnection } from "mysql2/promise";

export interface EchoServerOptions {
  /** File that the agent keeps: `host`, `port`, `username`, `password`, as JSON. */
  readonly configurationFile: string;
  /** 0 for one that is free. @default 25000 */
  readonly port?: number;
  /** PEM of the CA certificate that signs MySQL's. @default - the system's CA certificates */
  readonly caCertificate?: string;
  /** Told each new client, and what went wrong, without secrets. */
  readonly log?: (line: string) => void;
}

interface Configuration {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** Shows each client a list of the databases, and then says back what the client says. */
export class EchoServer {
  static async start(options: EchoServerOptions): Promise<EchoServer> {
    const server = new EchoServer(options);
    await new Promise<void>((resolve, reject) => {
      server.listener.once("error", reject);
      server.listener.listen(options.port ?? 25_000, "127.0.0.1", resolve);
    });
    return server;
  }

  private readonly clients = new Set<net.Socket>();
  private readonly listener: net.Server;

  private constructor(private readonly options: EchoServerOptions) {
    this.listener = net.createServer((client) => void this.serve(client));
  }

  get port(): number {
    return (this.listener.address() as net.AddressInfo).port;
  }

  async close(): Promise<void> {
    this.clients.forEach((client) => client.destroy());
    await new Promise((resolve) => this.listener.close(resolve));
  }

  private async serve(client: net.Socket): Promise<void> {
    this.clients.add(client);
    client.once("close", () => this.clients.delete(client));
    client.on("error", () => client.destroy());
    this.options.log?.("a client has come");
    try {
      const databases = await this.listDatabases();
      client.write(
        `Welcome to echoserver. Here is a list of databases. Anything you type will be echoed back to you.\n` +
          databases.map((name) => `${name}\n`).join(""),
      );
      client.pipe(client);
    } catch (error) {
      this.options.log?.(`MySQL cannot be asked: ${(error as Error).message}`);
      client.end("The database cannot be asked.\n");
    }
  }

  /** With what the file holds at this moment: each connection to MySQL is made with fresh credentials. */
  private async listDatabases(): Promise<string[]> {
    const text = await readFile(this.options.configurationFile, "utf8");
    const { host, port, username, password } = JSON.parse(text) as Configuration;
    const ssl = { ca: this.options.caCertificate };
    const connection = await createConnection({ host, port, user: username, password, ssl });
    try {
      const [rows] = await connection.query<never>({ sql: "SHOW DATABASES", rowsAsArray: true });
      return (rows as string[][]).map(([name]) => String(name));
    } finally {
      await connection.end();
    }
  }
}
