import { Construct } from "constructs";
import type { Duration } from "../duration";
import { ConfigurationError } from "../errors";
import type { IAppRole } from "../vault/app-role";
import { addTextOutput } from "../text-output";
import { apiAddress, configurationText } from "./configuration-text";
import { checkFiles, templateBlock, type CredentialsFile } from "./credentials-file";
import { absolutePath, plainText } from "./plain-text";

/**
 * Waits between failed logins, each of which is about twice the one before. From 4 minutes to 20, one agent never has a RoleID
 * locked by the servers' defaults; but after an outage of the server it may take 20 minutes to be back.
 */
export interface LoginBackoff {
  /** The first wait: 1 second or more. */
  readonly min: Duration;
  /** The longest wait, longer than the first. */
  readonly max: Duration;
}

/** Options of {@link VaultAgentConfiguration}. */
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
  /**
   * Whether the agent ends when a login fails, be it that its SecretID has ended or that the server cannot be reached, instead
   * of trying again for ever. An AppRole's RoleID is locked by failed logins (see `Lockout`), and then for all instances. Give
   * its unit a `startLimit` besides, or it is started again for ever; with `removeSecretId` it needs another SecretID then.
   *
   * @default false
   */
  readonly exitOnLoginFailure?: boolean;
  /** How long to wait after a failed login before the next. @default - the agent's: 1 s at first, 5 min at most */
  readonly loginBackoff?: LoginBackoff;
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
    checkFiles("agent", props.files, [props.roleIdFile, props.secretIdFile]);
    const method = {
      type: "approle",
      mount_path: appRole.loginPath.replace(/\/login$/, ""),
      namespace,
      ...backoffOf(props.loginBackoff),
      exit_on_err: props.exitOnLoginFailure === true ? true : undefined,
      config: [loginOf(props)],
    };
    const caCert =
      props.caCertFile === undefined ? undefined : absolutePath("CA certificate", props.caCertFile);
    // Each block in a list: the agents take the fields of a lone nested object for blocks of their own.
    const configuration = {
      vault: [{ address: apiAddress(props.address), ca_cert: caCert, namespace }],
      auto_auth: [{ method: [method] }],
      template_config: [{ exit_on_retry_failure: props.exitOnRetryFailure ?? false }],
      template: props.files.map(templateBlock),
    };
    this.text = configurationText(configuration);
    addTextOutput(this, props.outputName, "Configuration of the agent", this.text);
  }
}

function backoffOf(backoff: LoginBackoff | undefined) {
  if (backoff === undefined) return {};
  const { min, max } = backoff;
  if (min.toSeconds() === 0 || !max.isLongerThan(min)) {
    throw new ConfigurationError(
      `The agent is to wait from ${min.toString()} to ${max.toString()} after a failed login.`,
      "Give a min of 1 second or more, and a max that is longer.",
    );
  }
  return { min_backoff: min.toString(), max_backoff: max.toString() };
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
