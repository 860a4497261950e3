import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { cdktfProgram } from "../../cli/cdktf";
import { inherited } from "../../sandbox/deployment";
import type { Sandbox } from "../../sandbox/sandbox";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { announce } from "../e2e/announce";
import { Workspace } from "../e2e/workspace";
import { makeProject, recoverable } from "./recovery-app";

const CLI = path.resolve(__dirname, "../../cli/main.ts");
const TSX = pathToFileURL(require.resolve("tsx")).href;
/**
 * What PostgreSQL and Vault say of a thing that Terraform wants to make and that is there; and what Terraform says of one
 * that it has made and that a standby, which answers reads itself, does not have yet.
 */
const THERE_ALREADY = /already exists|already in use|was present, but now absent/;

/** A stack that Terraform applies, and that the documented commands are run on. */
export class RecoveryWorkspace extends Workspace {
  private readonly variables: Record<string, string>;
  private commands = 0;
  private project: string | undefined;

  /** @param changes to the variables of the sandbox, such as those of another Vault */
  constructor(sandbox: Sandbox, name: string, changes: Readonly<Record<string, string>> = {}) {
    const variables: Record<string, string> = { ...sandbox.env, ...changes };
    super(
      { ...sandbox, env: variables },
      name,
      (scope) => new CredentialsStack(scope, recoverable(variables)),
    );
    this.variables = variables;
  }

  /** Goes to another Vault, or another server of it, from now on. */
  reach(address: string): void {
    this.variables.VAULT_ADDR = address;
  }

  /** Removes all that Terraform knew, and returns what puts it back. */
  loseState(): () => void {
    const file = path.join(this.directory, "terraform.local.tfstate");
    const state = fs.readFileSync(file);
    for (const each of fs.readdirSync(this.directory)) {
      if (each.startsWith("terraform.local.tfstate")) fs.rmSync(path.join(this.directory, each));
    }
    return () => fs.writeFileSync(file, state);
  }

  /** Removes one resource from what Terraform knows, and returns its address. */
  forget(type: string, name: RegExp): string {
    const file = path.join(this.directory, "terraform.local.tfstate");
    const state = JSON.parse(fs.readFileSync(file, "utf8")) as {
      serial: number;
      resources: { type: string; name: string }[];
    };
    const [lost, ...more] = state.resources.filter((each) => each.type === type && name.test(each.name));
    if (lost === undefined || more.length > 0) throw new Error(`not one ${type} like ${name}`);
    const resources = state.resources.filter((each) => each !== lost);
    fs.writeFileSync(file, JSON.stringify({ ...state, serial: state.serial + 1, resources }));
    return `${lost.type}.${lost.name}`;
  }

  /** Runs a documented command line, with `dev` read as this environment. */
  async command(line: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    const [npx, program, verb = "", stack, ...rest] = line.split(/ +/);
    if (npx !== "npx" || stack !== "dev") throw new Error(`not understood: ${line}`);
    const programs: Record<string, readonly string[]> = {
      "vault-postgres": ["--import", TSX, CLI],
      cdktf: [cdktfProgram()],
    };
    const more = program === "cdktf" ? ["--skip-provider-lock"] : [];
    const logFile = path.join(this.directory, `command-${++this.commands}-${verb}.log`);
    const running = this.sandbox.lifetime.start({
      command: process.execPath,
      args: [
        ...(programs[program ?? ""] ?? []),
        ...[verb, "local", ...rest, ...more, "--output", path.join(this.directory, "out")],
        ...(verb === "deploy" ? ["--auto-approve"] : []),
      ],
      cwd: (this.project ??= makeProject(path.join(this.sandbox.directory, `${this.name}-project`))),
      env: { ...inherited(process.env), ...this.sandbox.env, CI: "1", FORCE_COLOR: "0", ...env },
      logFile,
    });
    const code = await running.exited;
    const log = this.sandbox.lifetime.redact(fs.readFileSync(logFile, "utf8"));
    if (code !== 0) throw new Error(`${line}: exit code ${code}\n${log.slice(-4000)}`);
    return log;
  }

  /** Deploys after something went wrong, with the documented import where Terraform lost track of something. */
  async converge(): Promise<void> {
    const running = await this.startApply();
    if ((await running.exited) === 0) return;
    const log = this.sandbox.lifetime.redact(fs.readFileSync(running.logFile, "utf8"));
    const [message] = THERE_ALREADY.exec(log) ?? [];
    if (message === undefined) throw new Error(`neither done nor there already:\n${log.slice(-4000)}`);
    announce(`the next deployment says "${message}"; importing`);
    await this.command("npx vault-postgres import dev");
    await this.apply();
  }
}
