import { Annotations, type ITerraformDependable } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { dependOn } from "../dependencies";
import { show } from "../errors";
import type { IGrantee } from "./app-role";
import type { IDatabaseSecretsEngine } from "./database-secrets-engine";
import { Policy, type IPolicy } from "./policy";

/** A role of a secrets engine that credentials are read from. */
export interface IReadableRole extends IConstruct {
  /** Name in the secrets engine. */
  readonly name: string;
  /** API path that a credential is read from. */
  readonly credsPath: string;
  /** Policy that lets a token read `credsPath` and nothing else. Declared at the first use. */
  readonly readPolicy: IPolicy;

  /** Lets an AppRole read credentials of this role. */
  grantRead(grantee: IGrantee): void;
}

/** What dynamic and static roles share, declared or imported. */
export abstract class ReadableRole extends Construct implements IReadableRole {
  abstract readonly name: string;
  abstract readonly credsPath: string;
  protected abstract readonly engine: IDatabaseSecretsEngine;
  protected abstract readonly ready: readonly ITerraformDependable[];
  private policy?: Policy;

  get readPolicy(): IPolicy {
    if (this.policy === undefined) {
      this.policy = new Policy(this, "ReadPolicy", {
        name: this.credsPath.toLowerCase(),
        rules: [{ path: this.credsPath, capabilities: ["read"] }],
        namespace: this.engine.namespace,
        provider: this.engine.provider,
      });
      dependOn(this.policy.resource, ...this.ready);
    }
    return this.policy;
  }

  grantRead(grantee: IGrantee): void {
    grantee.addPolicy(this.readPolicy, this.credsPath);
  }

  /** Says what is left to the user where a connection's login is not known, so that it cannot be made ADMIN here. */
  protected warnOfUnknownManager(connection: string, role: string): void {
    Annotations.of(this).addWarning(
      `The login of the connection ${show(connection)} is not known here: make it ADMIN of ` +
        `${show(role)} where it is declared, or pass manager to PostgresConnection.fromName.`,
    );
  }
}
