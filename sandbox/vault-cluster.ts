import * as fs from "node:fs";
import * as path from "node:path";
import { UserError } from "../cli/errors";
import { AnswerFields, VaultClient } from "../cli/vault-client";
import type { EngineBinary } from "./engine-binary";
import type { Lifetime, Running } from "./lifetime";
import { logTail } from "./log-tail";
import { freePorts, LOOPBACK } from "./ports";

const TIMEOUT_MS = 60_000;
const NODES = 3;

/** One server of a {@link VaultCluster}. */
export interface VaultNode {
  readonly name: string;
  readonly address: string;
  /** Undefined if it does not run. */
  readonly pid: number | undefined;
}

class Node implements VaultNode {
  running: Running | undefined;

  constructor(
    readonly name: string,
    readonly directory: string,
    readonly address: string,
    readonly clusterAddress: string,
  ) {}

  get pid(): number | undefined {
    return this.running?.isRunning() === true ? this.running.pid : undefined;
  }
}

/** Three servers of OpenBao or Vault on Raft, each with its own ports and folder. */
export class VaultCluster {
  private readonly nodes: readonly Node[];
  private unsealKey = "";
  private token = "";

  /** @throws UserError if it does not get to a leader and two standbys; the lifetime ends what runs by then */
  static async create(lifetime: Lifetime, binary: EngineBinary): Promise<VaultCluster> {
    const ports = await freePorts(2 * NODES);
    const cluster = new VaultCluster(lifetime, binary, ports);
    await cluster.begin();
    return cluster;
  }

  private constructor(
    private readonly lifetime: Lifetime,
    private readonly binary: EngineBinary,
    ports: readonly number[],
  ) {
    this.nodes = Array.from({ length: NODES }, (_, index) => {
      const name = `node-${index + 1}`;
      const address = `http://${LOOPBACK}:${ports[2 * index]}`;
      const clusterAddress = `${LOOPBACK}:${ports[2 * index + 1]}`;
      return new Node(name, path.join(lifetime.directory, "vault-cluster", name), address, clusterAddress);
    });
  }

  /** A client with the root token, of one server or else of the leader that was found last. */
  client({ address }: Pick<VaultNode, "address"> = this.lastLeader): VaultClient {
    return new VaultClient({ address, token: this.token });
  }

  private lastLeader: Pick<VaultNode, "address"> = { address: "" };

  /** Waits until a server that runs is the leader, as after an election. */
  async leader(): Promise<VaultNode> {
    return this.until("has a leader", async () => {
      for (const node of this.nodes) {
        if (node.pid !== undefined && (await this.health(node)) === 200) {
          this.lastLeader = node;
          return node;
        }
      }
      return undefined;
    });
  }

  /** Servers that run and are not the leader. */
  async standbys(): Promise<VaultNode[]> {
    const { name } = await this.leader();
    return this.nodes.filter((node) => node.pid !== undefined && node.name !== name);
  }

  /** Ends a server as a crash would. */
  async kill({ name }: VaultNode): Promise<void> {
    const node = this.nodes.find((each) => each.name === name);
    await node?.running?.stop("SIGKILL", 5_000);
  }

  /** Starts and unseals the servers that do not run, and waits until each has its place again. */
  async mend(): Promise<void> {
    for (const node of this.nodes) if (node.pid === undefined) this.start(node);
    for (const node of this.nodes) await this.unseal(node);
    await this.leader();
  }

  private async begin(): Promise<void> {
    for (const node of this.nodes) {
      this.configure(node);
      this.start(node);
    }
    const [first, ...others] = this.nodes;
    if (first === undefined) return;
    await this.until("can be initialized", async () =>
      (await this.health(first)) === 501 ? true : undefined,
    );
    const body = { secret_shares: 1, secret_threshold: 1 };
    const answer = await new VaultClient(first).send({ method: "PUT", path: "sys/init", body });
    const fields = new AnswerFields("sys/init", answer.body);
    const [key = ""] = fields.texts("keys_base64");
    this.unsealKey = this.lifetime.remember(key);
    this.token = this.lifetime.remember(fields.text("root_token"));
    await this.unseal(first);
    await this.leader();
    for (const node of others) await this.unseal(node);
    await this.until("has all its voters", async () => {
      const { data } = await this.client(first).read("sys/storage/raft/configuration");
      const { servers } = (data as { config: { servers: { voter: boolean }[] } }).config;
      return servers.filter(({ voter }) => voter).length === NODES ? true : undefined;
    });
  }

  private configure(node: Node): void {
    const data = path.join(node.directory, "data");
    fs.mkdirSync(data, { recursive: true, mode: 0o700 });
    const others = this.nodes.filter((each) => each !== node);
    const configuration = {
      storage: {
        raft: {
          path: data,
          node_id: node.name,
          performance_multiplier: 1,
          retry_join: others.map(({ address }) => ({ leader_api_addr: address })),
        },
      },
      listener: [
        {
          tcp: {
            address: node.address.replace("http://", ""),
            cluster_address: node.clusterAddress,
            tls_disable: true,
          },
        },
      ],
      api_addr: node.address,
      cluster_addr: `https://${node.clusterAddress}`,
      ui: false,
      log_level: "info",
      ...(this.binary.product === "Vault" ? { disable_mlock: true } : {}),
    };
    fs.writeFileSync(path.join(node.directory, "config.json"), JSON.stringify(configuration), {
      mode: 0o600,
    });
  }

  private start(node: Node): void {
    node.running = this.lifetime.start({
      command: this.binary.path,
      args: ["server", `-config=${path.join(node.directory, "config.json")}`],
      env: { PATH: process.env.PATH, HOME: node.directory, TMPDIR: node.directory, LC_ALL: "C" },
      logFile: path.join(node.directory, "log"),
    });
  }

  /** Gives it the key until it is the leader or a standby: one that joins asks for it once it has found the leader. */
  private async unseal(node: Node): Promise<void> {
    await this.until(
      `has ${node.name} unsealed`,
      async () => {
        const status = await this.health(node);
        if (status === 200 || status === 429) return true;
        // 501 is one that has not joined yet, and takes the key all the same.
        if (status === 503 || status === 501) {
          await new VaultClient(node).send({
            method: "PUT",
            path: "sys/unseal",
            body: { key: this.unsealKey },
          });
        }
        return undefined;
      },
      node,
    );
  }

  /** 200 leader, 429 standby, 501 not initialized or not joined, 503 sealed, 0 no answer */
  private async health(node: Node): Promise<number> {
    const api = new VaultClient({ address: node.address });
    return api.send({ method: "GET", path: "sys/health" }).then(
      ({ status }) => status,
      () => 0,
    );
  }

  private async until<T>(what: string, look: () => Promise<T | undefined>, node?: Node): Promise<T> {
    const deadline = Date.now() + TIMEOUT_MS;
    while (Date.now() < deadline) {
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const logs = (node === undefined ? this.nodes : [node]).map(({ directory }) =>
      logTail(path.join(directory, "log"), 10),
    );
    throw new UserError(
      `The cluster of ${this.binary.product} ${this.binary.version} was not found in time to be one that ${what}. The end of its log:`,
      this.lifetime.redact(logs.join("\n")),
    );
  }
}
