import { Construct } from "constructs";
import { Duration } from "../duration";
import { ConfigurationError, show } from "../errors";
import { listedOneByOne } from "../known-at-synthesis";
import { addTextOutput } from "../text-output";
import { apiAddress, configurationText } from "./configuration-text";
import { checkFiles, templateBlock, type CredentialsFile } from "./credentials-file";
import { checkSignal, type ReloadSignal } from "./on-change";
import { absolutePath, plainText } from "./plain-text";

/** A program that consul-template starts once the files are there, and ends with. */
export interface SupervisedProgram {
  /** Program by its absolute path, and its arguments, neither of which a shell looks at. */
  readonly command: readonly string[];
  /** What to send it after a change of a file. @default - it is ended, and started again */
  readonly reloadSignal?: ReloadSignal;
  /** What to send it to end it. @default "SIGTERM" */
  readonly killSignal?: ReloadSignal;
  /** How long it may take to end before it is killed: 1 second or more. @default Duration.seconds(30) */
  readonly killTimeout?: Duration;
}

/** Options of {@link ConsulTemplateConfiguration}. */
export interface ConsulTemplateConfigurationProps {
  /** URL of the API as the program's machine sees it, such as `https://vault.example.com:8200`. */
  readonly address: string;
  /** Absolute path on that machine of the CA certificate that signs the server's. @default - the system's */
  readonly caCertFile?: string;
  /** Namespace of the roles. @default - none */
  readonly namespace?: string;
  /**
   * Absolute path of the file that holds the token. It has to be there when consul-template starts, which looks for another
   * in it every 15 s.
   */
  readonly tokenFile: string;
  /** Whether the file holds a wrapping token around it. @default false */
  readonly tokenWrapped?: boolean;
  /**
   * Whether consul-template renews the token that it started with. A token that is written to the file later is not renewed
   * by it (0.41): leave that to who writes it, such as an agent with a file sink, and say false here.
   *
   * @default true
   */
  readonly renewToken?: boolean;
  /** Files to keep up to date: one or more. */
  readonly files: readonly CredentialsFile[];
  /** Program to supervise. @default - none: consul-template writes the files only */
  readonly exec?: SupervisedProgram;
  /**
   * Whether consul-template ends after it has failed to read credentials five times, within 8 seconds, so that what
   * supervises it starts another. Otherwise it tries again for ever, up to a minute apart.
   *
   * @default false
   */
  readonly exitOnRetryFailure?: boolean;
  /** Name of a Terraform output for the text, which is no secret. @default - none */
  readonly outputName?: string;
}

/**
 * Configuration of consul-template for one application: it reads credentials with a token from a file, renews them, writes
 * files when it has new ones, and may run the application.
 *
 * The text is the JSON form of the configuration, for a file whose name ends with `.json`:
 * `terraform output -raw <outputName> > consul-template.json` and `consul-template -config=consul-template.json`.
 */
export class ConsulTemplateConfiguration extends Construct {
  /** The configuration, for a file. Holds no secret. */
  readonly text: string;

  /** @throws ConfigurationError for relative paths, permissions for everybody, and texts that would be misread */
  constructor(scope: Construct, id: string, props: ConsulTemplateConfigurationProps) {
    super(scope, id);
    const { namespace, caCertFile, files } = props;
    if (namespace !== undefined) plainText("namespace", namespace);
    checkFiles("configuration of consul-template", files, [props.tokenFile]);
    const vault = {
      address: apiAddress(props.address),
      namespace,
      ssl: caCertFile === undefined ? undefined : [{ ca_cert: absolutePath("CA certificate", caCertFile) }],
      vault_agent_token_file: absolutePath("token file", props.tokenFile),
      unwrap_token: props.tokenWrapped ?? false,
      renew_token: props.renewToken ?? true,
      // 0 is for ever.
      retry: [{ attempts: (props.exitOnRetryFailure ?? false) ? 5 : 0, backoff: "250ms", max_backoff: "1m" }],
    };
    this.text = configurationText({
      vault: [vault],
      exec: props.exec && [execBlock(props.exec)],
      template: files.map(templateBlock),
    });
    addTextOutput(this, props.outputName, "Configuration of consul-template", this.text);
  }
}

function execBlock({ command, reloadSignal, killSignal, killTimeout }: SupervisedProgram) {
  const [program = "", ...args] = listedOneByOne("arguments of the program to run", command);
  absolutePath("program to run", program);
  args.forEach((argument) => plainText("argument of the program to run", argument));
  // consul-template hands a lone element with blanks in it to a shell.
  if (args.length === 0 && /\s/.test(program)) {
    throw new ConfigurationError(
      `The program to run ${show(program)} has a blank in its path and no arguments.`,
      "Give the arguments as elements of their own, or the program a path without blanks.",
    );
  }
  const timeout = killTimeout ?? Duration.seconds(30);
  if (timeout.toSeconds() === 0) {
    throw new ConfigurationError(
      "The program to run has a killTimeout of 0.",
      "Give a time of 1 second or more.",
    );
  }
  return {
    command: [...command],
    reload_signal: reloadSignal && checkSignal(reloadSignal),
    kill_signal: checkSignal(killSignal ?? "SIGTERM"),
    kill_timeout: timeout.toString(),
  };
}
