import { Construct } from "constructs";
import { Duration } from "../duration";
import { ConfigurationError } from "../errors";
import type { IAppRole } from "../vault/app-role";
import { addTextOutput } from "../text-output";
import { isUnresolved } from "../tokens";
import { apiAddress, configurationText } from "./configuration-text";
import { checkFiles, templateBlock, type CredentialsFile } from "./credentials-file";
import { absolutePath, plainText } from "./plain-text";

/**
 * Waits between failed logins, each of which is 1.5 to 2 times the one before. The agents wait as long after a failed reading
 * of credentials as well.
 *
 * One agent never has a RoleID locked by the servers' default, 5 failures that follow each other within 15 minutes, where it
 * waits from 5 minutes to 24 or more: its fifth failure comes more than 15 minutes after the fourth.
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
   * Whether the agent ends after it has failed to read credentials for about five minutes, so that what supervises it starts
   * another, which logs in anew. Needs a SecretID for that: `removeSecretId: false`, or one delivered at each start.
   *
   * @default false
   */
  readonly exitOnRetryFailure?: boolean;
  /**
   * Whether the agent ends when a login fails, be it that its SecretID has ended or that the server cannot be reached, instead
   * of waiting for the next try. Give its unit a `startLimit` besides, or it is started again for ever; with `removeSecretId` it
   * needs another SecretID then, also after an outage of the server.
   *
   * @default false
   */
  readonly exitOnLoginFailure?: boolean;
  /**
   * How long to wait after a failed login before the next. By the agents' own wait of 1 second at first, an agent whose SecretID
   * has ended has the AppRole's RoleID locked within seconds, for all its instances (see `Lockout`). After an outage the agent
   * is back within 5 minutes, or at most as long again as the outage took: 30 minutes. Where that is too long, end such locks by
   * `Lockout.off()` and wait for less, or take `exitOnLoginFailure`.
   *
   * @default - 5 minutes at first, 30 minutes at most; with `exitOnLoginFailure`, the agent's
   */
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
    const backoff = backoffOf(props);
    const exitOnRetryFailure = props.exitOnRetryFailure ?? false;
    const method = {
      type: "approle",
      mount_path: appRole.loginPath.replace(/\/login$/, ""),
      namespace,
      ...(backoff && { min_backoff: backoff.min.toString(), max_backoff: backoff.max.toString() }),
      exit_on_err: props.exitOnLoginFailure === true ? true : undefined,
      config: [loginOf(props)],
    };
    const caCert =
      props.caCertFile === undefined ? undefined : absolutePath("CA certificate", props.caCertFile);
    // Each block in a list: the agents take the fields of a lone nested object for blocks of their own.
    const configuration = {
      vault: [
        {
          address: apiAddress(props.address),
          ca_cert: caCert,
          namespace,
          retry: exitOnRetryFailure ? retriesWith(backoff) : undefined,
        },
      ],
      auto_auth: [{ method: [method] }],
      template_config: [{ exit_on_retry_failure: exitOnRetryFailure }],
      template: props.files.map(templateBlock),
    };
    this.text = configurationText(configuration);
    addTextOutput(this, props.outputName, "Configuration of the agent", this.text);
  }
}

/** The fifth failure is 16 minutes or more behind the fourth: servers that lock after 5 count from 1 again after 15. */
const PATIENT: LoginBackoff = { min: Duration.minutes(5), max: Duration.minutes(30) };

/** Undefined for the agent's own. */
function backoffOf(props: VaultAgentConfigurationProps): LoginBackoff | undefined {
  const backoff = props.loginBackoff;
  // By its own waits the agent reads credentials soon after a failure, and it never tries a login twice.
  if (backoff === undefined) return props.exitOnLoginFailure === true ? undefined : PATIENT;
  const { min, max } = backoff;
  if (min.toSeconds() === 0 || !max.isLongerThan(min)) {
    throw new ConfigurationError(
      `The agent is to wait from ${min.toString()} to ${max.toString()} after a failed login.`,
      "Give a min of 1 second or more, and a max that is longer.",
    );
  }
  return backoff;
}

/** Tries of 5 minutes, for the agents wait after a failed reading as after a failed login; their own are 12. */
function retriesWith(backoff: LoginBackoff | undefined) {
  const [first, longest] = [backoff?.min.toSeconds(), backoff?.max.toSeconds()];
  if (first === undefined || longest === undefined || isUnresolved(first) || isUnresolved(longest)) {
    return undefined;
  }
  let waited = 0;
  let retries = 0;
  while (waited < 5 * 60 && retries < 12) waited += Math.min(first * 2 ** retries++, longest);
  return [{ num_retries: retries }];
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
