import * as fs from "node:fs";
import * as path from "node:path";
import { Client } from "pg";
import { UserError } from "../cli/errors";
import type { Lifetime, Running } from "./lifetime";
import { logTail, saysPortTaken } from "./log-tail";
import { freePorts, LOOPBACK } from "./ports";
import { packagedBinDirectory, preparePostgresBinaries, type PostgresBinaries } from "./postgres-binaries";
import { serverUser, type ServerUser } from "./server-user";

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const ATTEMPTS = 5;

/** A PostgreSQL server of the sandbox: its own cluster, on a loopback port, for which every login needs a password. */
export class PostgresServer {
  readonly host = LOOPBACK;
  readonly superuser = "postgres";
  readonly superuserPassword: string;
  readonly logFile: string;
  private readonly dataDirectory: string;
  private readonly user: ServerUser | undefined;
  private running: Running | undefined;
  private chosenPort = 0;
  private serverVersion = "";

  /** @param binDirectory folder with `initdb` and `postgres`; npm's if absent */
  static async create(lifetime: Lifetime, binDirectory?: string): Promise<PostgresServer> {
    const user = serverUser();
    const copyTo = path.join(lifetime.directory, "postgres-programs");
    const binaries = preparePostgresBinaries(
      binDirectory ?? packagedBinDirectory(),
      user !== undefined,
      copyTo,
    );
    const server = new PostgresServer(lifetime, binaries, user);
    await server.initialize();
    await server.start();
    return server;
  }

  private constructor(
    private readonly lifetime: Lifetime,
    private readonly binaries: PostgresBinaries,
    user: ServerUser | undefined,
  ) {
    this.user = user;
    this.superuserPassword = lifetime.secret();
    this.dataDirectory = path.join(lifetime.directory, "postgres", "data");
    this.logFile = path.join(lifetime.directory, "postgres.log");
  }

  get port(): number {
    return this.chosenPort;
  }

  /** Such as `18.4`. */
  get version(): string {
    return this.serverVersion;
  }

  get pid(): number | undefined {
    return this.running?.isRunning() === true ? this.running.pid : undefined;
  }

  /** Starts the server if it does not run. The first start chooses the port, later ones keep it. */
  async start(): Promise<void> {
    if (this.running?.isRunning() === true) return;
    const first = this.chosenPort === 0;
    for (let attempt = 1; ; attempt++) {
      if (first) [this.chosenPort = 0] = await freePorts(1);
      const offset = fs.existsSync(this.logFile) ? fs.statSync(this.logFile).size : 0;
      this.running = this.lifetime.start({
        command: this.binaries.postgres,
        args: ["-D", this.dataDirectory, "-p", String(this.chosenPort)],
        env: serverEnvironment(),
        cwd: path.dirname(this.dataDirectory),
        user: this.user,
        logFile: this.logFile,
      });
      if (await this.becomesReady(this.running)) return;
      if (first && attempt < ATTEMPTS && saysPortTaken(this.logFile)) continue;
      const log = fs.readFileSync(this.logFile, "utf8").slice(offset).trim();
      throw new UserError(
        `PostgreSQL did not start on ${LOOPBACK}:${this.chosenPort}. The end of its log:`,
        this.lifetime.redact(log.split("\n").slice(-15).join("\n")),
      );
    }
  }

  /** Stops the server at once; its sessions end, its data stays. */
  async stop(): Promise<void> {
    await this.running?.stop("SIGINT", STOP_TIMEOUT_MS);
  }

  /** As if it had crashed: what it had not written is lost. */
  async crash(): Promise<void> {
    await this.running?.stop("SIGQUIT", STOP_TIMEOUT_MS);
  }

  /** A connection as the superuser; the caller ends it. */
  async connect(database = "postgres"): Promise<Client> {
    const client = new Client({
      host: this.host,
      port: this.port,
      user: this.superuser,
      password: this.superuserPassword,
      database,
      ssl: false,
      connectionTimeoutMillis: 5_000,
    });
    // A server that stops ends the connection; that is no reason to end this process.
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  private async initialize(): Promise<void> {
    const home = path.dirname(this.dataDirectory);
    const passwordFile = path.join(home, "password");
    fs.mkdirSync(home, { mode: 0o700 });
    fs.writeFileSync(passwordFile, this.superuserPassword, { mode: 0o600 });
    if (this.user !== undefined) {
      for (const file of [home, passwordFile]) fs.chownSync(file, this.user.uid, this.user.gid);
    }
    const logFile = path.join(this.lifetime.directory, "initdb.log");
    const initdb = this.lifetime.start({
      command: this.binaries.initdb,
      args: [
        ...["-D", this.dataDirectory, "-U", this.superuser, `--pwfile=${passwordFile}`],
        // Scram for local and network logins; C is the one locale that every system has.
        ...["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"],
      ],
      env: serverEnvironment(),
      cwd: home,
      user: this.user,
      logFile,
    });
    const code = await initdb.exited;
    fs.rmSync(passwordFile, { force: true });
    if (code !== 0) {
      throw new UserError(
        `initdb could not make a PostgreSQL cluster (exit code ${code}). The end of its log:`,
        this.lifetime.redact(logTail(logFile)),
      );
    }
    fs.appendFileSync(path.join(this.dataDirectory, "postgresql.conf"), SETTINGS.join("\n") + "\n");
  }

  private async becomesReady(running: Running): Promise<boolean> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (running.isRunning() && Date.now() < deadline) {
      try {
        const client = await this.connect();
        const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
        await client.end();
        // Something else may answer on the port if ours has just given up.
        if (!running.isRunning()) return false;
        this.serverVersion = rows[0]?.server_version.split(" ")[0] ?? "";
        return true;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    await running.stop("SIGINT", STOP_TIMEOUT_MS);
    return false;
  }
}

const SETTINGS = [
  `listen_addresses = '${LOOPBACK}'`,
  // No socket: its folder may be missing or not writable, and nothing here needs one.
  "unix_socket_directories = ''",
  "password_encryption = 'scram-sha-256'",
  // The data live as long as the sandbox; a crash of the machine ends both.
  "fsync = off",
  "full_page_writes = off",
  "max_connections = 100",
  "shared_buffers = '32MB'",
  "timezone = 'UTC'",
  // A failed CREATE ROLE would be logged with its password.
  "log_min_error_statement = 'panic'",
];

/** Nothing of the user's settings reaches the server; PGDATA, PGPORT and LC_* would change it. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, LC_ALL: "C", TZ: "UTC" };
}
