import { TerraformOutput } from "cdktf";
import { Construct } from "constructs";
import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../names";
import type { IAppRole } from "../vault/app-role";
import { CredentialsTemplate, type CredentialSource } from "./credentials-template";
import type { OnChange } from "./on-change";
import { absolutePath, plainText } from "./plain-text";

/** A file of credentials that the agent keeps up to date. */
export interface CredentialsFile {
  /** Role that the credentials are of; the AppRole needs `role.grantRead(appRole)`, or a policy to that end. */
  readonly source: CredentialSource;
  /** Absolute path, in a folder that is there already. The agent replaces the file as a whole. */
  readonly path: string;
  /** What the file holds. @default CredentialsTemplate.json() */
  readonly template?: CredentialsTemplate;
  /** Four octal digits: `0600` or `0400`, or `0640` or `0440` for a group that may read it. @default "0600" */
  readonly permissions?: string;
  /** What to do after the file has changed. @default - nothing: the application watches it */
  readonly onChange?: OnChange;
}

export interface VaultAgentConfigurationProps {
  /** URL of the API as the agent's machine sees it, such as `https://vault.example.com:8200`. */
  readonly address: string;
  /** Absolute path on the agent's machine of the CA certificate that signs the server's. @default - the system's */
  readonly caCertFile?: string;
  /** Namespace of the AppRole and the roles. @default - none */
  readonly namespace?: string;
  /**
   * Identity to log in as. Keep its policy `default`, by which an agent renews, and its `tokenNumUses` 0: when a token is
   * used up its credentials go with it, and the agent of OpenBao 2.7 does not log in again.
   */
  readonly appRole: IAppRole;
  /** Absolute path of the file that holds the RoleID. */
  readonly roleIdFile: string;
  /** Absolute path of the file that holds the SecretID, or the wrapping token around it. */
  readonly secretIdFile: string;
  /** Whether `secretIdFile` holds a wrapping token, which has to come from the AppRole's `secretIdPath`. @default false */
  readonly secretIdWrapped?: boolean;
  /**
   * Whether the agent deletes `secretIdFile` once read. It remembers the SecretID until it ends; to start again, it needs
   * another. A wrapping token is good for one use, so it has to be removed.
   *
   * @default true
   */
  readonly removeSecretId?: boolean;
  /** Files to keep up to date: one or more. */
  readonly files: readonly CredentialsFile[];
  /**
   * Whether the agent ends after it has failed to read credentials for five minutes, so that what supervises it starts
   * another, which logs in anew. Needs a SecretID for that: `removeSecretId: false`, or one delivered at each start.
   *
   * @default false
   */
  readonly exitOnRetryFailure?: boolean;
  /** Name of a Terraform output for the text, which is no secret. @default - none */
  readonly outputName?: string;
}

/**
 * Configuration of Vault Agent or OpenBao's agent (`vault agent`, `bao agent`) for one application: it logs in by AppRole,
 * keeps its token to itself, renews credentials, and writes files when it has new ones.
 *
 * The text is the JSON form of the configuration, which both agents read from a file with any name:
 * `terraform output -raw <outputName> > agent.json` and `vault agent -config=agent.json`.
 */
export class VaultAgentConfiguration extends Construct {
  /** The configuration, for a file. Holds no secret. */
  readonly text: string;

  /** @throws ConfigurationError for relative paths, permissions for everybody, and texts that an agent would misread */
  constructor(scope: Construct, id: string, props: VaultAgentConfigurationProps) {
    super(scope, id);
    const { appRole, namespace } = props;
    if (namespace !== undefined) plainText("namespace", namespace);
    checkFiles(props);
    const method = {
      type: "approle",
      mount_path: appRole.loginPath.replace(/\/login$/, ""),
      namespace,
      config: [loginOf(props)],
    };
    const caCert =
      props.caCertFile === undefined ? undefined : absolutePath("CA certificate", props.caCertFile);
    // Each block in a list: the agents take the fields of a lone nested object for blocks of their own.
    const configuration = {
      vault: [{ address: checkAddress(props.address), ca_cert: caCert, namespace }],
      auto_auth: [{ method: [method] }],
      template_config: [{ exit_on_retry_failure: props.exitOnRetryFailure ?? false }],
      template: props.files.map(templateOf),
    };
    this.text = `${JSON.stringify(configuration, undefined, 2)}\n`;
    if (props.outputName !== undefined) {
      const output = new TerraformOutput(this, "Output", {
        description: "Configuration of the agent",
        value: this.text,
      });
      output.overrideLogicalId(props.outputName);
    }
  }
}

function loginOf(props: VaultAgentConfigurationProps) {
  const wrapped = props.secretIdWrapped ?? false;
  const remove = props.removeSecretId ?? true;
  if (wrapped && !remove) {
    throw new ConfigurationError(
      "The agent shall keep the file of a wrapped SecretID.",
      "A wrapping token is good for one use, and the agent's next login would fail with it: leave removeSecretId out.",
    );
  }
  return {
    role_id_file_path: absolutePath("RoleID file", props.roleIdFile),
    secret_id_file_path: absolutePath("SecretID file", props.secretIdFile),
    remove_secret_id_file_after_reading: remove,
    secret_id_response_wrapping_path: wrapped ? props.appRole.secretIdPath : undefined,
  };
}

function templateOf({ source, path, template, permissions, onChange }: CredentialsFile) {
  return {
    contents: (template ?? CredentialsTemplate.json()).textFor(source),
    destination: absolutePath("file of credentials", path),
    perms: checkPermissions(path, permissions ?? "0600"),
    // An agent would make missing folders, and anybody could enter them.
    create_dest_dirs: false,
    // Rather no file than one with <no value> for a password.
    error_on_missing_key: true,
    exec: onChange && [{ command: [...onChange.command], timeout: onChange.timeout.toString() }],
  };
}

function checkPermissions(path: string, permissions: string): string {
  if (!isUnresolved(permissions) && !/^0[46][04]0$/.test(permissions)) {
    throw new ConfigurationError(
      `The file of credentials ${show(path)} has the permissions ${show(permissions)}.`,
      'Use "0600" or "0400" for its owner alone, "0640" or "0440" to let a group read it; nobody else may.',
    );
  }
  return permissions;
}

function checkAddress(address: string): string {
  if (isUnresolved(address)) return address;
  if (!URL.canParse(address) || !/^https?:\/\/[^/@?#\s]+\/?$/.test(address)) {
    // What stands before an "@" may be a password.
    const shown = address.includes("@") ? "with a login" : show(address);
    throw new ConfigurationError(
      `The address of Vault ${shown} is not usable.`,
      "Use http or https, a host and a port, such as https://vault.example.com:8200.",
    );
  }
  return plainText("address of Vault", address);
}

function checkFiles({ files, roleIdFile, secretIdFile }: VaultAgentConfigurationProps): void {
  if (files.length === 0) {
    throw new ConfigurationError("The agent has no files to write.", "Name one file of credentials or more.");
  }
  const paths = [roleIdFile, secretIdFile, ...files.map(({ path }) => path)];
  const twice = paths.find((path, index) => !isUnresolved(path) && paths.indexOf(path) !== index);
  if (twice !== undefined) {
    throw new ConfigurationError(
      `The path ${show(twice)} is there twice.`,
      "Give the RoleID, the SecretID and each file of credentials a path of its own.",
    );
  }
}
