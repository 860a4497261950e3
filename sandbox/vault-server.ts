import * as fs from "node:fs";
import * as path from "node:path";
import { UserError } from "../cli/errors";
import { AnswerFields, VaultClient } from "../cli/vault-client";
import type { EngineBinary } from "./engine-binary";
import type { Lifetime, Running } from "./lifetime";
import { logTail, saysPortTaken } from "./log-tail";
import { freePorts, LOOPBACK } from "./ports";

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const ATTEMPTS = 5;

/**
 * An OpenBao or Vault server of the sandbox. Not in development mode, which forgets all when it stops: a restart is one
 * of the things to try. The unseal key is in this process's memory alone.
 */
export class VaultServer {
  readonly logFile: string;
  private readonly directory: string;
  private readonly added: string[] = [];
  private running: Running | undefined;
  private port = 0;
  private clusterPort = 0;
  private unsealKey = "";
  private token = "";

  static async create(lifetime: Lifetime, binary: EngineBinary): Promise<VaultServer> {
    const server = new VaultServer(lifetime, binary);
    await server.start();
    return server;
  }

  private constructor(
    private readonly lifetime: Lifetime,
    private readonly binary: EngineBinary,
  ) {
    this.directory = path.join(lifetime.directory, "vault");
    this.logFile = path.join(lifetime.directory, "vault.log");
  }

  get address(): string {
    return `http://${LOOPBACK}:${this.port}`;
  }

  get rootToken(): string {
    return this.token;
  }

  get product(): "OpenBao" | "Vault" {
    return this.binary.product;
  }

  get version(): string {
    return this.binary.version;
  }

  get pid(): number | undefined {
    return this.running?.isRunning() === true ? this.running.pid : undefined;
  }

  /** A client with the root token. */
  client(): VaultClient {
    return new VaultClient({ address: this.address, token: this.token });
  }

  /** Starts and unseals the server if it does not run. The first start chooses the port, later ones keep it. */
  async start(): Promise<void> {
    if (this.running?.isRunning() === true) return;
    const first = this.port === 0;
    for (let attempt = 1; ; attempt++) {
      if (first) await this.prepare();
      this.running = this.lifetime.start({
        command: this.binary.path,
        args: ["server", ...["config.json", ...this.added].map((name) => `-config=${this.fileOf(name)}`)],
        env: this.environment(),
        logFile: this.logFile,
        // A server whose data go with it has nothing to put in order, which takes it a second.
        endSignal: "SIGKILL",
      });
      try {
        if (await this.becomesActive(this.running)) return;
      } catch (error) {
        await this.stop();
        throw this.failure(error instanceof Error ? error.message : String(error));
      }
      await this.stop();
      if (first && attempt < ATTEMPTS && saysPortTaken(this.logFile)) continue;
      throw this.failure("It ended or did not become active in time.");
    }
  }

  /** Adds a file to the configuration, for the next start. */
  addConfiguration(name: string, text: string): void {
    fs.writeFileSync(this.fileOf(name), text, { mode: 0o600 });
    this.added.push(name);
  }

  /** Stops and so seals the server; its data stays. */
  async stop(): Promise<void> {
    await this.running?.stop("SIGTERM", STOP_TIMEOUT_MS);
  }

  private fileOf(name: string): string {
    return path.join(this.directory, name);
  }

  private failure(reason: string): UserError {
    return new UserError(
      `${this.product} ${this.version} (${this.binary.path}) did not start on ${this.address}. ${reason} The end of its log:`,
      this.lifetime.redact(logTail(this.logFile)),
    );
  }

  private async prepare(): Promise<void> {
    [this.port = 0, this.clusterPort = 0] = await freePorts(2);
    const data = path.join(this.directory, "data");
    fs.rmSync(this.directory, { recursive: true, force: true });
    fs.mkdirSync(data, { recursive: true, mode: 0o700 });
    const configuration = {
      // The one storage that both products have and that outlives the process.
      storage: { raft: { path: data, node_id: "sandbox", performance_multiplier: 1 } },
      listener: [
        {
          tcp: {
            address: `${LOOPBACK}:${this.port}`,
            cluster_address: `${LOOPBACK}:${this.clusterPort}`,
            tls_disable: true,
          },
        },
      ],
      api_addr: this.address,
      cluster_addr: `https://${LOOPBACK}:${this.clusterPort}`,
      ui: false,
      log_level: "info",
      // OpenBao dropped memory locking and warns of the setting; Vault needs a privilege for it that few users have.
      ...(this.product === "Vault" ? { disable_mlock: true } : {}),
    };
    fs.writeFileSync(this.fileOf("config.json"), JSON.stringify(configuration), {
      mode: 0o600,
    });
  }

  private async becomesActive(running: Running): Promise<boolean> {
    const api = new VaultClient({ address: this.address });
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (running.isRunning() && Date.now() < deadline) {
      // 200 active, 429 standby, 472 and 473 replication, 501 not initialized, 503 sealed
      const status = await api.send({ method: "GET", path: "sys/health" }).then(
        (response) => response.status,
        () => 0,
      );
      if (status === 200 && this.unsealKey !== "") return running.isRunning();
      if (status === 501 && running.isRunning()) await this.initialize(api);
      if (status === 503 && this.unsealKey !== "") await this.unseal(api);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return false;
  }

  private async initialize(api: VaultClient): Promise<void> {
    const body = { secret_shares: 1, secret_threshold: 1 };
    const answer = new AnswerFields(
      "sys/init",
      (await api.send({ method: "PUT", path: "sys/init", body })).body,
    );
    const [key = ""] = answer.texts("keys_base64");
    this.unsealKey = this.lifetime.remember(key);
    this.token = this.lifetime.remember(answer.text("root_token"));
  }

  private async unseal(api: VaultClient): Promise<void> {
    await api.send({ method: "PUT", path: "sys/unseal", body: { key: this.unsealKey } });
  }

  /** Nothing of the user's: VAULT_* and BAO_* would change the server, and so would a proxy. */
  private environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      SystemRoot: process.env.SystemRoot,
      HOME: this.directory,
      TMPDIR: this.directory,
      LC_ALL: "C",
    };
  }
}
