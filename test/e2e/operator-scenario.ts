// One environment for the operator's commands: a role of one reader, a role of two, one that drains, a static role.
import * as fs from "node:fs";
import * as path from "node:path";
import type { Client } from "pg";
import { Application } from "../../cli/application";
import { CheckList } from "../../cli/checks";
import { main } from "../../cli/main";
import { outputsOfStack } from "../../cli/outputs";
import type { VaultClient } from "../../cli/vault-client";
import { Access, Duration, Revocation } from "../../lib";
import type { Sandbox } from "../../sandbox/sandbox";
import { CredentialsStack } from "../../stacks/credentials-stack";
import type { Environment } from "../../stacks/environment";
import { local } from "../../stacks/environments/local";
import type { EnvironmentOutputs } from "../../stacks/outputs";
import { FakeShell } from "../sandbox/fake-shell";
import { connect, type Credential } from "./credential";
import { Workspace } from "./workspace";

export const DATABASE = "shop_local";
export const MOUNT = "shop-local/database";

const schemas = ["app"];

/** What a command answered. */
export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class Scenario {
  readonly workspace: Workspace;
  outputs!: EnvironmentOutputs;

  constructor(readonly sandbox: Sandbox) {
    const environment: Environment = {
      ...local(sandbox.env),
      application: "shop",
      roles: {
        owner: { access: Access.owner({ schemas }) },
        reader: { access: Access.readOnly({ schemas }) },
        "reader-2": { access: Access.readOnly({ schemas }) },
        writer: {
          access: Access.readWrite({ schemas }),
          revocation: Revocation.drain({ idleSessionTimeout: Duration.minutes(5) }),
        },
      },
      staticRoles: { legacy: { role: "reader" } },
      applications: {
        migrations: { roles: ["owner"] },
        api: { roles: ["writer"] },
        web: { roles: ["reader", "legacy"] },
        reports: { roles: ["reader", "reader-2"] },
      },
    };
    this.workspace = new Workspace(sandbox, "operator", (scope) => new CredentialsStack(scope, environment));
  }

  /** Folder that the stack is synthesized into. */
  get output(): string {
    return path.join(this.workspace.directory, "out");
  }

  async deploy(): Promise<void> {
    await this.workspace.apply();
    this.outputs = await outputsOfStack("local", this.output, this.variables());
  }

  /** What the operator has in the environment: the documented rights. */
  variables(): NodeJS.ProcessEnv {
    const { vault, operator, env, lifetime } = this.sandbox;
    return {
      PATH: process.env.PATH,
      ...env,
      HOME: lifetime.directory,
      VAULT_ADDR: vault.address,
      VAULT_TOKEN: operator.vaultToken,
      PGUSER: operator.postgresUser,
      PGPASSWORD: operator.postgresPassword,
    };
  }

  /** What has the documented rights of whoever deploys. */
  variablesOfDeployer(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, HOME: this.sandbox.lifetime.directory, ...this.sandbox.env };
  }

  /** Runs a command on the environment. */
  async run(
    command: string,
    args: readonly string[] = [],
    changes: NodeJS.ProcessEnv = {},
    answer?: string,
  ): Promise<Answer> {
    const shell = new FakeShell({ ...this.variables(), ...changes }, answer);
    const code = await main([command, "local", ...args, "--output", this.output], shell);
    return { code, out: shell.out.join("\n"), err: shell.err.join("\n") };
  }

  /** As {@link run}, with the answer understood as JSON, which is all that standard output holds. */
  async json<T>(command: string, args: readonly string[] = []): Promise<T & { readonly code: number }> {
    const { code, out } = await this.run(command, [...args, "--json"]);
    return { ...(JSON.parse(out) as T), code };
  }

  /** An application that has logged in. */
  async enter(name: string): Promise<Group> {
    const full = `shop-local-${name}`;
    const approle = this.outputs.approles[full];
    if (approle === undefined) throw new Error(`no AppRole ${full}`);
    const application = new Application(this.sandbox.vault.client(), full, approle, new CheckList());
    return new Group(this, application, await application.enter());
  }
}

/** One login of an application. */
export class Group {
  constructor(
    private readonly scenario: Scenario,
    readonly application: Application,
    readonly vault: VaultClient,
  ) {}

  async issue(role: string): Promise<Credential> {
    const { login, leaseId } = await this.application.issue(this.vault, this.scenario.outputs.roles[role]!);
    return { ...login, leaseId };
  }

  /** A session of a new credential. */
  async session(role: string): Promise<{ readonly credential: Credential; readonly client: Client }> {
    const credential = await this.issue(role);
    return { credential, client: await connect(this.scenario.sandbox, credential, DATABASE) };
  }
}

/** Everything that the sandbox knows to be secret, and the passwords of credentials, in a text. */
export function secretsIn(sandbox: Sandbox, text: string, credentials: readonly Credential[] = []): string[] {
  const secrets = [...sandbox.lifetime.allSecrets(), ...credentials.map(({ password }) => password)];
  return secrets.filter((secret) => text.includes(secret));
}

/** Text of a file, with its mode. */
export function written(file: string): { readonly text: string; readonly mode: number } {
  return { text: fs.readFileSync(file, "utf8"), mode: fs.statSync(file).mode & 0o777 };
}
