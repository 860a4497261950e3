import { Annotations } from "cdktf";
import { show } from "../errors";
import type { IGrantee } from "./app-role";
import type { IDatabaseSecretsEngine } from "./database-secrets-engine";
import { Readable, type IReadable } from "./readable";

/** A role of a secrets engine that credentials are read from. */
export interface IReadableRole extends IReadable {
  /** Name in the secrets engine. */
  readonly name: string;
  /** API path that a credential is read from. */
  readonly credsPath: string;
}

/** What dynamic and static roles share, declared or imported. */
export abstract class ReadableRole extends Readable implements IReadableRole {
  abstract readonly name: string;
  abstract readonly credsPath: string;
  protected abstract override readonly engine: IDatabaseSecretsEngine;

  protected get readPath(): string {
    return this.credsPath;
  }

  override grantRead(grantee: IGrantee): void {
    grantee.addPolicy(this.policyFor(grantee), this.credsPath);
  }

  /** Says what is left to the user where a connection's login is not known, so that it cannot be made ADMIN here. */
  protected warnOfUnknownManager(connection: string, role: string): void {
    Annotations.of(this).addWarning(
      `The login of the connection ${show(connection)} is not known here: make it ADMIN of ` +
        `${show(role)} where it is declared, or pass manager to PostgresConnection.fromName.`,
    );
  }
}
