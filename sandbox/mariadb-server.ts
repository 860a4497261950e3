import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { createConnection, type Connection } from "mysql2/promise";
import { UserError } from "../cli/errors";
import { findOnPath, isExecutable } from "./executable";
import type { Lifetime, Running } from "./lifetime";
import { logTail, saysPortTaken } from "./log-tail";
import { freePorts, LOOPBACK } from "./ports";
import { selfSignedCertificate } from "./providers/protocol/certificate";
import { serverUser, type ServerUser } from "./server-user";

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const ATTEMPTS = 5;

export interface MariadbBinaries {
  readonly mariadbd: string;
  readonly installDb: string;
  readonly client: string;
}

/** MariaDB's programs: in the folder SANDBOX_MARIADB_BIN, on the PATH, or where Debian puts them; undefined if not there. */
export function findMariadb(env: NodeJS.ProcessEnv): MariadbBinaries | undefined {
  const named = env.SANDBOX_MARIADB_BIN ?? "";
  const find = (name: string): string | undefined => {
    const folders = named === "" ? ["/usr/sbin", "/usr/bin", "/usr/local/bin"] : [named];
    const there = folders.map((folder) => path.join(folder, name)).find(isExecutable);
    return named === "" ? (findOnPath(name, env) ?? there) : there;
  };
  const [mariadbd, installDb, client] = [find("mariadbd"), find("mariadb-install-db"), find("mariadb")];
  return mariadbd && installDb && client ? { mariadbd, installDb, client } : undefined;
}

export interface MariadbOptions {
  /** As servers do by default: clients are shown, and matched, by the names of their addresses. @default false */
  readonly resolvesNames?: boolean;
}

/** A MariaDB server for tests: its own data, on a loopback port, with TLS and a certificate of its own. */
export class MariadbServer {
  readonly host = LOOPBACK;
  readonly superuser = "root";
  readonly superuserPassword: string;
  /** PEM of the certificate to verify the server with. */
  readonly caCertificate: string;
  readonly logFile: string;
  private readonly directory: string;
  private readonly user: ServerUser | undefined;
  private chosenPort = 0;
  private serverVersion = "";

  static async create(
    lifetime: Lifetime,
    binaries: MariadbBinaries,
    options: MariadbOptions = {},
  ): Promise<MariadbServer> {
    const server = new MariadbServer(lifetime, binaries, options);
    await server.initialize();
    await server.start();
    return server;
  }

  private constructor(
    private readonly lifetime: Lifetime,
    private readonly binaries: MariadbBinaries,
    private readonly options: MariadbOptions,
  ) {
    this.user = serverUser();
    this.superuserPassword = lifetime.secret();
    this.directory = path.join(lifetime.directory, "mariadb");
    this.logFile = path.join(lifetime.directory, "mariadb.log");
    const certificate = selfSignedCertificate(LOOPBACK);
    this.caCertificate = certificate.certificatePem;
    fs.mkdirSync(this.directory, { mode: 0o700 });
    this.write("server.pem", certificate.certificatePem + certificate.keyPem);
    this.write("init.sql", superuserStatements(this.superuserPassword).join("\n"));
    this.give(this.directory);
  }

  get port(): number {
    return this.chosenPort;
  }

  /** Such as `10.11.6`. */
  get version(): string {
    return this.serverVersion;
  }

  /** A connection as the superuser; the caller ends it. */
  async connect(): Promise<Connection> {
    return this.connectAs(this.superuser, this.superuserPassword);
  }

  /** A connection over TLS; errors of its own are for the queries to report. The caller ends it. */
  async connectAs(user: string, password: string): Promise<Connection> {
    const connection = await createConnection({
      host: this.host,
      port: this.port,
      user,
      password,
      connectTimeout: 10_000,
      ssl: { ca: this.caCertificate },
    });
    connection.on("error", () => undefined);
    return connection;
  }

  /** Runs a file of SQL as an administrator does: by the client, which knows DELIMITER, as the superuser. */
  async run(sql: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const args = [
        "--no-defaults",
        `--host=${this.host}`,
        `--port=${this.port}`,
        `--user=${this.superuser}`,
      ];
      const env = { PATH: process.env.PATH, MYSQL_PWD: this.superuserPassword };
      const client = execFile(this.binaries.client, args, { env }, (error, _stdout, stderr) =>
        error ? reject(new Error(this.lifetime.redact(stderr || error.message))) : resolve(),
      );
      client.stdin?.end(sql);
    });
  }

  private async initialize(): Promise<void> {
    const logFile = path.join(this.lifetime.directory, "mariadb-install-db.log");
    const args = ["--no-defaults", `--datadir=${this.data}`, "--auth-root-authentication-method=normal"];
    const install = this.lifetime.start({
      command: this.binaries.installDb,
      args: [...args, "--skip-test-db", "--skip-name-resolve"],
      env: serverEnvironment(),
      cwd: this.directory,
      user: this.user,
      logFile,
    });
    const code = await install.exited;
    if (code !== 0) {
      throw new UserError(
        `mariadb-install-db could not make a data folder (exit code ${code}). The end of its log:`,
        this.lifetime.redact(logTail(logFile)),
      );
    }
  }

  private async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      [this.chosenPort = 0] = await freePorts(1);
      const running = this.lifetime.start({
        command: this.binaries.mariadbd,
        args: [
          ...["--no-defaults", `--datadir=${this.data}`, `--bind-address=${LOOPBACK}`, `--port=${this.port}`],
          ...[`--socket=${path.join(this.directory, "s")}`, `--pid-file=${path.join(this.directory, "pid")}`],
          ...["ssl-cert", "ssl-key"].map((name) => `--${name}=${path.join(this.directory, "server.pem")}`),
          `--init-file=${path.join(this.directory, "init.sql")}`,
          // Users are matched by address then; no name server is asked.
          ...(this.options.resolvesNames === true ? [] : ["--skip-name-resolve"]),
          // The data live as long as the sandbox.
          ...["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"],
        ],
        env: serverEnvironment(),
        cwd: this.directory,
        user: this.user,
        logFile: this.logFile,
        // It takes no notice of SIGINT.
        endSignal: "SIGTERM",
      });
      if (await this.becomesReady(running)) return;
      if (attempt < ATTEMPTS && saysPortTaken(this.logFile)) continue;
      throw new UserError(
        `MariaDB did not start on ${LOOPBACK}:${this.port}. The end of its log:`,
        this.lifetime.redact(logTail(this.logFile)),
      );
    }
  }

  private async becomesReady(running: Running): Promise<boolean> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (running.isRunning() && Date.now() < deadline) {
      try {
        const connection = await this.connect();
        const [rows] = await connection.query("SELECT VERSION() AS version");
        await connection.end();
        this.serverVersion = (rows as { version: string }[])[0]?.version.split("-")[0] ?? "";
        fs.rmSync(path.join(this.directory, "init.sql"));
        return running.isRunning();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    await running.stop("SIGTERM", STOP_TIMEOUT_MS);
    return false;
  }

  private get data(): string {
    return path.join(this.directory, "data");
  }

  private write(name: string, text: string): void {
    const file = path.join(this.directory, name);
    fs.writeFileSync(file, text, { mode: 0o600 });
    this.give(file);
  }

  private give(file: string): void {
    if (this.user !== undefined) fs.chownSync(file, this.user.uid, this.user.gid);
  }
}

/** One superuser, with a password, where mariadb-install-db made several without. */
function superuserStatements(password: string): string[] {
  return [
    "DELETE FROM mysql.global_priv WHERE user = 'root';",
    "FLUSH PRIVILEGES;",
    `CREATE USER root@'${LOOPBACK}' IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON *.* TO root@'${LOOPBACK}' WITH GRANT OPTION;`,
    "",
  ];
}

function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" };
}
