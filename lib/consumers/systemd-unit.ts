import { Construct } from "constructs";
import { Duration } from "../duration";
import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../names";
import { addTextOutput } from "../text-output";
import { absolutePath } from "./plain-text";
import { systemdArgument, systemdText, systemdWord } from "./systemd-text";

/** How often a unit is started before systemd gives it up. */
export interface StartLimit {
  /** Most starts: a whole number, 1 or more. */
  readonly starts: number;
  /** Time in which they count: longer than all the delays between them. */
  readonly within: Duration;
}

/** Options of {@link SystemdUnit}. */
export interface SystemdUnitProps {
  /** What it is, for people: `Agent of the echo service`. */
  readonly description: string;
  /**
   * Program by its absolute path, and its arguments, which no shell looks at:
   * `["/usr/bin/vault", "agent", "-config=/etc/echo/agent.json"]`.
   */
  readonly command: readonly string[];
  /** System user to run as, not root; the one that the application runs as, unless a group is to read the files. */
  readonly user: string;
  /** System group to run as. @default - the user's own */
  readonly group?: string;
  /**
   * Name of a folder below `/run`, which is in memory only: made at the start with the unit's owner, kept over a restart,
   * removed with all that is in it when the unit is stopped.
   */
  readonly runtimeDirectory: string;
  /** `0700`, or `0750` to let the group in. @default "0700" */
  readonly runtimeDirectoryMode?: string;
  /** Absolute paths that it may write to besides, such as that of a SecretID that it deletes. @default - none */
  readonly readWritePaths?: readonly string[];
  /** How long to wait before it is started again after it has ended, for whatever reason. @default Duration.seconds(5) */
  readonly restartDelay?: Duration;
  /**
   * When to give it up: the unit is `failed` then, as monitoring sees, and has to be started by hand. For an agent with
   * `exitOnLoginFailure`, whose logins would have the RoleID locked for others: fewer starts than failed logins lock it, such as
   * 4 within 15 minutes.
   *
   * @default - never: without it, an application loses its credentials
   */
  readonly startLimit?: StartLimit;
  /**
   * Units to start after it, such as `echo.service`. They do not wait for its files, which are there some moments later.
   *
   * @default - none
   */
  readonly before?: readonly string[];
  /** Name of a Terraform output for the text, which is no secret. @default - none */
  readonly outputName?: string;
}

/**
 * A systemd unit for an agent, Vault's, OpenBao's or consul-template: it runs without any privilege, sees a read-only system,
 * and writes to its folder below `/run`.
 *
 * A program that it runs on a change has the same bounds: it cannot become root (`sudo` does not work in it), and sees no
 * home folders. It can reach a process of its own user, and systemd, which asks polkit whether the user may reload a unit.
 *
 * `terraform output -raw <outputName> > /etc/systemd/system/<name>.service`, and `systemctl enable --now <name>`.
 */
export class SystemdUnit extends Construct {
  /** The unit, for a file. */
  readonly text: string;
  /** Absolute path of the folder below `/run`. */
  readonly runtimeDirectory: string;

  /** @throws ConfigurationError for a relative path, the user root, modes for everybody, and control characters */
  constructor(scope: Construct, id: string, props: SystemdUnitProps) {
    super(scope, id);
    this.runtimeDirectory = `/run/${checkDirectory(props.runtimeDirectory)}`;
    const lines = [
      "[Unit]",
      `Description=${checkDescription(props.description)}`,
      "Wants=network-online.target",
      "After=network-online.target",
      ...(props.before ?? []).map((unit) => `Before=${checkUnit(unit)}`),
      ...startLimitOf(props),
      "",
      "[Service]",
      "Type=simple",
      `ExecStart=${commandLine(props.command)}`,
      `User=${checkUser("user", props.user)}`,
      ...(props.group === undefined ? [] : [`Group=${checkUser("group", props.group)}`]),
      `RuntimeDirectory=${props.runtimeDirectory}`,
      `RuntimeDirectoryMode=${checkMode(props.runtimeDirectoryMode ?? "0700")}`,
      "RuntimeDirectoryPreserve=restart",
      "Restart=always",
      `RestartSec=${delayOf(props).toSeconds()}`,
      ...HARDENING,
      ...readWrite(props.readWritePaths ?? []),
      "",
      "[Install]",
      "WantedBy=multi-user.target",
      "",
    ];
    this.text = lines.join("\n");
    addTextOutput(this, props.outputName, "systemd unit", this.text);
  }
}

/** Leaves what a program on a change may need: the network, UNIX sockets, and code made at run time, as Node.js does. */
const HARDENING = [
  "UMask=0077",
  // No credentials in a core dump.
  "LimitCORE=0",
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectProc=invisible",
  "LockPersonality=yes",
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallErrorNumber=EPERM",
];

const delayOf = ({ restartDelay }: SystemdUnitProps) => restartDelay ?? Duration.seconds(5);

function startLimitOf(props: SystemdUnitProps): string[] {
  // However often it ends, it is started again: without it an application loses its credentials.
  if (props.startLimit === undefined) return ["StartLimitIntervalSec=0"];
  const { starts, within } = props.startLimit;
  const delay = delayOf(props);
  if (!Number.isSafeInteger(starts) || starts < 1 || within.toSeconds() <= starts * delay.toSeconds()) {
    throw new ConfigurationError(
      `The unit is to be given up after ${show(starts)} starts within ${within.toString()}, ${delay.toString()} apart.`,
      "Use a whole number of starts, 1 or more, and a time that is longer than all the delays between them.",
    );
  }
  return [`StartLimitIntervalSec=${within.toSeconds()}`, `StartLimitBurst=${starts}`];
}

/** systemd reads a line that ends in a backslash and the next one as one. */
function checkDescription(description: string): string {
  if (!isUnresolved(description) && description.endsWith("\\")) {
    throw new ConfigurationError(
      `The description ${show(description)} of the unit ends in a backslash.`,
      "systemd would read the next line with it; end it otherwise.",
    );
  }
  return systemdText("description", description);
}

function commandLine(command: readonly string[]): string {
  const [program = "", ...args] = command;
  absolutePath("program of the unit", program);
  return [
    systemdWord("program of the unit", program),
    ...args.map((argument) => systemdArgument("argument of the unit's program", argument)),
  ].join(" ");
}

function readWrite(paths: readonly string[]): string[] {
  if (paths.length === 0) return [];
  const words = paths.map((path) => systemdWord("path to write to", absolutePath("path to write to", path)));
  return [`ReadWritePaths=${words.join(" ")}`];
}

function checkDirectory(name: string): string {
  if (!isUnresolved(name) && !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
    throw new ConfigurationError(
      `The runtime directory ${show(name)} is not usable.`,
      'Name a folder below /run with letters, digits, "_", "-" and ".", such as "echo".',
    );
  }
  return name;
}

function checkMode(mode: string): string {
  if (!isUnresolved(mode) && mode !== "0700" && mode !== "0750") {
    throw new ConfigurationError(
      `The runtime directory has the mode ${show(mode)}.`,
      'Use "0700" for its owner alone, or "0750" to let a group in; nobody else may.',
    );
  }
  return mode;
}

function checkUser(what: string, name: string): string {
  if (isUnresolved(name)) return name;
  if (!/^[A-Za-z_][A-Za-z0-9_-]{0,30}$/.test(name)) {
    throw new ConfigurationError(
      `The ${what} ${show(name)} of the unit is not usable.`,
      'Use a name of letters, digits, "_" and "-", with no digit first.',
    );
  }
  if (name === "root") {
    throw new ConfigurationError(
      `The ${what} of the unit is root.`,
      "An agent needs no privilege: make it a system user, useradd --system, or take the application's.",
    );
  }
  return name;
}

function checkUnit(unit: string): string {
  if (!isUnresolved(unit) && !/^[A-Za-z0-9:_.@-]+\.[a-z]+$/.test(unit)) {
    throw new ConfigurationError(
      `The unit ${show(unit)} is not usable.`,
      'Use its name with its kind, such as "echo.service".',
    );
  }
  return unit;
}
