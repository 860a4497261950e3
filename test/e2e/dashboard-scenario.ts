// The example `dashboard-with-fallback` on a sandbox, with the documented rights.
import * as fs from "node:fs";
import * as path from "node:path";
import { LocalBackend } from "cdktf";
import type { Construct } from "constructs";
import {
  DashboardStack,
  type DashboardStackProps,
} from "../../examples/dashboard-with-fallback/dashboard-stack";
import type { LoginSources } from "../../examples/shared/resolve-login";
import { VaultClient } from "../../cli/vault-client";
import { makeExtrasDeployerToken } from "../../sandbox/rights";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "./announce";
import { asSuperuser } from "./credential";
import { Workspace } from "./workspace";

export const CREDS = "delphi/database/creds/delphi-readonly";
export const CONFIG = "delphi/kv/data/delphi/database/config";
export const PASSWORD = "delphi/kv/data/delphi/database/password";

export class Dashboard {
  static async start(): Promise<Dashboard> {
    const started = await startSandbox({ onProgress: announce });
    try {
      const token = await makeExtrasDeployerToken(started.vault.client());
      const staticPassword = started.lifetime.secret();
      const env = {
        ...started.env,
        VAULT_TOKEN: started.lifetime.remember(token),
        TF_VAR_static_password: staticPassword,
      };
      return new Dashboard({ ...started, env }, staticPassword);
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  readonly workspace: Workspace;
  readonly legacyPassword: string;
  readonly defaultPassword: string;

  private constructor(
    readonly sandbox: Sandbox,
    readonly staticPassword: string,
  ) {
    this.legacyPassword = sandbox.lifetime.secret();
    this.defaultPassword = sandbox.lifetime.secret();
    this.workspace = new Workspace(sandbox, "dashboard", this.stack());
  }

  get auditFile(): string {
    return path.join(this.sandbox.directory, "audit.log");
  }

  /** How the server takes audit devices. */
  get auditDeclaredIn(): "api" | "server-configuration" {
    return this.sandbox.vault.product === "Vault" ? "api" : "server-configuration";
  }

  /** The example, below paths that the documented rights reach, with the AppRole of another application beside it. */
  stack(props: Partial<DashboardStackProps> = {}): (scope: Construct) => DashboardStack {
    const { host, port, version } = this.sandbox.postgres;
    return (scope) => {
      const stack = new DashboardStack(scope, "dashboard", {
        vaultAddress: this.sandbox.vault.address,
        postgres: { host, port, sslMode: "disable" },
        auditDeclaredIn: this.auditDeclaredIn,
        auditFile: this.auditFile,
        enginePath: "delphi/database",
        keyValuePath: "delphi/kv",
        authPath: "delphi/approle",
        databaseTemplate: parseInt(version) < 15 ? "template1" : undefined,
        deletionProtection: false,
        ...props,
      });
      stack.approles.addRole("other");
      new LocalBackend(stack, { path: this.stateFile });
      return stack;
    };
  }

  async deploy(props: Partial<DashboardStackProps> = {}): Promise<void> {
    this.workspace.edit(this.stack(props));
    await this.workspace.apply();
  }

  /** What the stack tells. */
  output(name: string): string {
    const { outputs } = JSON.parse(fs.readFileSync(this.stateFile, "utf8")) as {
      outputs: Record<string, { value: unknown } | undefined>;
    };
    return String(outputs[name]?.value);
  }

  /** A token of an application. */
  async logIn(application: "dashboard" | "other"): Promise<string> {
    const vault = this.sandbox.vault.client();
    const role = `auth/delphi/approle/role/${application}`;
    const { data: id } = await vault.read(`${role}/role-id`);
    const { data: secret } = await vault.write(`${role}/secret-id`);
    const { auth } = await vault.write("auth/delphi/approle/login", {
      role_id: id?.role_id,
      secret_id: this.sandbox.lifetime.remember(String(secret?.secret_id)),
    });
    return this.sandbox.lifetime.remember(auth?.client_token ?? "");
  }

  /** Acts as an application. */
  async as(application: "dashboard" | "other"): Promise<VaultClient> {
    return new VaultClient({ address: this.sandbox.vault.address, token: await this.logIn(application) });
  }

  /** Does as whoever makes tables does. */
  async asOwner(sql: string): Promise<void> {
    await asSuperuser(this.sandbox, `SET ROLE delphi_owner; ${sql}`, "delphi");
  }

  /** Ends all credentials. */
  async revokeAll(): Promise<void> {
    await this.sandbox.vault.client().write(`sys/leases/revoke-prefix/${CREDS}`, { sync: true });
  }

  /** Ends the credentials that there are now, and none that is read meanwhile. */
  async revokeEach(): Promise<void> {
    const vault = this.sandbox.vault.client();
    for (const key of await vault.list(`sys/leases/lookup/${CREDS}`)) {
      await vault.write("sys/leases/revoke", { lease_id: `${CREDS}/${key}`, sync: true });
    }
  }

  /** A login in every source, as the dashboard's environment has it, and something to read. */
  async prepareSources(): Promise<void> {
    await this.asOwner("CREATE TABLE public.report (id int); INSERT INTO public.report VALUES (1)");
    for (const [name, password] of Object.entries({
      legacy: this.legacyPassword,
      delphi: this.defaultPassword,
    })) {
      await asSuperuser(
        this.sandbox,
        `CREATE ROLE ${name} LOGIN IN ROLE delphi_readonly PASSWORD '${password}'`,
      );
    }
  }

  async sources(): Promise<LoginSources> {
    const { vault, postgres } = this.sandbox;
    const place = `${postgres.host}:${postgres.port}/delphi`;
    return {
      vault: { address: vault.address, token: await this.logIn("dashboard") },
      credsPath: CREDS,
      configPath: CONFIG,
      passwordPath: PASSWORD,
      environment: { PG_DSN: `postgresql://legacy:${this.legacyPassword}@${place}` },
      defaults: {
        host: postgres.host,
        port: postgres.port,
        database: "delphi",
        username: "delphi",
        password: this.defaultPassword,
      },
    };
  }

  expectNoSecret(text: string): void {
    const { lifetime } = this.sandbox;
    expect(lifetime.allSecrets().filter((secret) => text.includes(secret))).toEqual([]);
  }

  /** Takes away what Terraform made, for the next apply to put back. */
  async withdraw(policy: string): Promise<void> {
    await this.sandbox.vault.client().delete(`sys/policies/acl/${policy}`);
  }

  private get stateFile(): string {
    return path.join(this.sandbox.directory, "dashboard", "terraform.tfstate");
  }
}
