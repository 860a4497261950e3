import * as fs from "node:fs";
import type { Sandbox } from "../sandbox/sandbox";

/** What PostgreSQL has logged of its sessions and statements. */
export interface Logged {
  /** Statements of all sessions. */
  readonly statements: number;
  /** Sessions that Terraform's login began. */
  readonly sessions: number;
  /** Most of them open at once. */
  readonly sessionsAtOnce: number;
  /** Sessions of the secrets engine that are open at the end. */
  readonly engineSessions: number;
}

const LINE =
  /LOG: {2}(?:(?<statement>statement:|execute )|(?<begin>connection authorized:)|(?<end>disconnection:))(?:.*? user=(?<user>\S+))?/;

/** Reads PostgreSQL's log, which it makes the server write sessions and statements to. */
export class PostgresLog {
  static async start(sandbox: Sandbox): Promise<PostgresLog> {
    const superuser = await sandbox.postgres.connect();
    for (const setting of ["log_statement = 'all'", "log_connections = on", "log_disconnections = on"]) {
      await superuser.query(`ALTER SYSTEM SET ${setting}`);
    }
    await superuser.query("SELECT pg_reload_conf()");
    await superuser.end();
    return new PostgresLog(sandbox.postgres.logFile, sandbox.deployer.postgresUser);
  }

  private read = 0;
  private engineSessions = 0;

  /**
   * @param file what is in it already is left out
   * @param deployer login that Terraform uses; the engine's end in `_manager`
   */
  constructor(
    private readonly file: string,
    private readonly deployer: string,
  ) {
    this.read = fs.statSync(file).size;
  }

  /** What was logged since the last call. */
  next(): Logged {
    const log = fs.readFileSync(this.file);
    const text = log.subarray(this.read).toString("utf8");
    this.read = log.length;
    let [statements, sessions, open, sessionsAtOnce] = [0, 0, 0, 0];
    for (const line of text.split("\n")) {
      const { statement, begin, user } = LINE.exec(line)?.groups ?? {};
      if (statement !== undefined) statements++;
      if (user === undefined) continue;
      const more = begin === undefined ? -1 : 1;
      if (user.endsWith("_manager")) this.engineSessions += more;
      if (user !== this.deployer) continue;
      if (more === 1) sessions++;
      open += more;
      sessionsAtOnce = Math.max(sessionsAtOnce, open);
    }
    return { statements, sessions, sessionsAtOnce, engineSessions: this.engineSessions };
  }
}
