import type { TerraformProvider, TerraformResource } from "cdktf";
import { Audit } from "@cdktf/provider-vault/lib/audit";
import { Construct } from "constructs";
import { dependOn } from "../dependencies";
import { ConfigurationError, show } from "../errors";
import { vaultName } from "../names";
import { terraformText, UNPRINTABLE } from "../terraform-text";
import { addTextOutput } from "../text-output";
import { mayBeOneOf, pathWithStandIns, withStandIns } from "../tokens";
import { declareOnce } from "./declared-once";

/** Options of {@link AuditDevice}. */
export interface AuditDeviceProps {
  /** Name of the device: letters, digits, `_`, `-`, `.`. */
  readonly name: string;
  /** File on the server's machine that it appends to, as an absolute path; the server has to be able to write it. */
  readonly filePath: string;
  /** Octal permissions of the file. @default "0600" */
  readonly fileMode?: string;
  /** Description that the server keeps of it. @default "Every request and every answer" */
  readonly description?: string;
  /**
   * Who enables it. `api`: Terraform does, at Vault. `server-configuration`: whoever runs the server does, at OpenBao, which
   * refuses the other way; nothing is deployed then, and the output `outputName` says what to write.
   */
  readonly declaredIn: "api" | "server-configuration";
  /**
   * Name of an output with the stanza for the server's configuration, for
   * `terraform output -raw <outputName> > /etc/openbao/audit.hcl`. Needed with `server-configuration`.
   *
   * @default - none
   */
  readonly outputName?: string;
  /** Provider to declare it with. @default - the stack's vault provider */
  readonly provider?: TerraformProvider;
}

/**
 * An audit device of the type `file`: a line for each request and each answer, in which secrets are hashed with a key of
 * the server's. It belongs to the whole server.
 */
export class AuditDevice extends Construct {
  /** Name of the device. */
  readonly name: string;
  /** The stanza that declares the device in a server's configuration, in HCL. Holds no secret. */
  readonly serverConfiguration: string;
  /** Absent if the server's configuration declares the device. */
  readonly resource?: Audit;

  /** @throws ConfigurationError for `server-configuration` without an output, and for texts that HCL would misread */
  constructor(scope: Construct, id: string, props: AuditDeviceProps) {
    super(scope, id);
    this.name = vaultName("audit device", props.name);
    const description = checkText("description", props.description ?? "Every request and every answer");
    const options = { file_path: checkFile(props.filePath), mode: checkMode(props.fileMode ?? "0600") };
    this.serverConfiguration = stanza(this.name, description, options);
    if (props.declaredIn === "api") {
      declareOnce(this, { provider: props.provider, kind: "audit device", path: this.name });
      this.resource = new Audit(this, "Resource", {
        path: this.name,
        type: "file",
        description,
        options,
        provider: props.provider,
      });
    } else if (props.outputName === undefined) {
      throw new ConfigurationError(
        `The audit device ${show(this.name)} is declared nowhere: OpenBao takes it in its server's configuration only.`,
        'Pass outputName, and write that output into the server\'s configuration; for Vault, pass declaredIn: "api".',
      );
    }
    const what = "Audit device, for the configuration of the server";
    addTextOutput(this, props.outputName, what, this.serverConfiguration);
  }

  /**
   * Makes resources wait for the device, and be gone before it. Vault answers with 500 what it is asked in the moment in
   * which it enables or disables one: let everything of a stack that begins at Vault wait, such as `engine.resource`.
   */
  precede(...resources: readonly TerraformResource[]): void {
    if (this.resource === undefined) return;
    for (const resource of resources) dependOn(resource, this.resource);
  }
}

function stanza(name: string, description: string, options: Readonly<Record<string, string>>): string {
  const lines = Object.entries(options).map(([key, value]) => `    ${key} = ${JSON.stringify(value)}`);
  return [
    `audit "file" ${JSON.stringify(name)} {`,
    `  description = ${JSON.stringify(description)}`,
    "  options = {",
    ...lines,
    "  }",
    "}",
    "",
  ].join("\n");
}

function checkText(what: string, text: string): string {
  const known = withStandIns(text);
  if (UNPRINTABLE.test(known) || /["\\]/.test(known)) {
    throw new ConfigurationError(
      `The ${what} of the audit device, ${show(text)}, cannot be written in a configuration.`,
      'Use printable characters, without quotes and "\\".',
    );
  }
  return terraformText(`${what} of the audit device`, text);
}

function checkFile(file: string): string {
  const known = pathWithStandIns(file);
  if (!known.startsWith("/") || known.endsWith("/")) {
    throw new ConfigurationError(
      `The file of the audit device, ${show(file)}, is not an absolute path.`,
      'Start it with "/" and name a file: where else it would be depends on how the server was started.',
    );
  }
  return checkText("file", file);
}

function checkMode(mode: string): string {
  if (!mayBeOneOf(mode, ["0600", "0400", "0640", "0440"])) {
    throw new ConfigurationError(
      `The file of the audit device has the permissions ${show(mode)}.`,
      'Use "0600" for its owner alone, or "0640" to let a group read it; nobody else may.',
    );
  }
  return mode;
}
