import type { EnvironmentOutputs } from "../stacks/outputs";
import { statementsDigest } from "../stacks/statements-digest";
import type { Finding } from "./finding";
import type { Connection, Inventory } from "./inventory";
import { inLine, listed } from "./text";

/** Where a connection's URL leads. Its login is not in it, and no value of an option but those that are no secret. */
interface Destination {
  readonly takesLoginFromEngine: boolean;
  /** As it is written: an IPv6 address has its brackets, and several hosts are one text. */
  readonly host: string;
  readonly port: string;
  /** Not decoded. */
  readonly database: string;
  readonly options: ReadonlyMap<string, string>;
}

/** Users would be made on another server or in another database, and could not be dropped in theirs. */
export function connectionFindings(
  outputs: EnvironmentOutputs,
  { connections }: Inventory,
  remedy: string,
): Finding[] {
  const { connection: subject } = outputs.vault;
  const connection = connections.find(({ name }) => name === subject);
  if (connection === undefined) return [];
  const policy = policyDifferences(connection);
  const differences = [
    ...urlDifferences(outputs, connection),
    ...loginDifferences(outputs, connection),
    ...settingDifferences(outputs, connection),
    ...policy,
  ];
  if (differences.length === 0) return [];
  const unset =
    policy.length === 0
      ? ""
      : ` A deployment does not see a password policy: vault write ${outputs.vault.mount}/config/${subject} ` +
        'password_policy="", and revoke what was issued with it.';
  return [
    {
      kind: "changed-connection",
      subject,
      detail: differences.join("; "),
      remedy: `Find out who changed it, and what it issued meanwhile. ${remedy}${unset}`,
    },
  ];
}

/** What could not be compared, and why. */
export function connectionNotLookedAt({ vault }: EnvironmentOutputs, { connections }: Inventory): string[] {
  const connection = connections.find(({ name }) => name === vault.connection);
  if (connection === undefined) return [];
  const what = "Whether the engine's connection leads to the declared host and port, with the declared TLS,";
  if (connection.url === "") return [`${what} was not looked at: the engine does not tell its URL.`];
  if (vault.connection_url !== undefined) return [];
  return [
    `${what} was not looked at: an earlier deployment wrote the outputs, which do not say it. Deploy again.`,
  ];
}

function urlDifferences({ vault, postgres }: EnvironmentOutputs, { url }: Connection): string[] {
  if (url === "") return [];
  const is = destinationOf(url);
  const wanted = vault.connection_url === undefined ? undefined : destinationOf(vault.connection_url);
  // What is in no form that is known may hold a password, and is not shown.
  if (is === undefined) return ["its URL is in another form than was declared"];
  const database = encodeURIComponent(postgres.database);
  if (wanted === undefined) {
    return is.database === "" ? [] : difference("it leads to the database", is.database, database);
  }
  const rest = [...new Set([...is.options.keys(), ...wanted.options.keys()])].filter(
    (name) => name !== "sslmode" && is.options.get(name) !== wanted.options.get(name),
  );
  return [
    ...difference("it leads to the host", is.host, wanted.host),
    ...difference("it leads to the port", is.port, wanted.port),
    ...difference("it leads to the database", is.database, wanted.database),
    ...difference("its TLS mode (sslmode) is", sslMode(is), sslMode(wanted)),
    ...(rest.length === 0
      ? []
      : [`in its URL ${listed(rest.sort())} ${rest.length === 1 ? "is" : "are"} another`]),
    ...(wanted.takesLoginFromEngine && !is.takesLoginFromEngine ? ["its URL holds a login of its own"] : []),
  ].map(inLine);
}

/** Passwords of the engine's own are long; a policy may make short ones. */
function policyDifferences({ passwordPolicy }: Connection): string[] {
  return passwordPolicy === ""
    ? []
    : [`it makes passwords by the policy ${inLine(passwordPolicy)}, not by the engine's own`];
}

function settingDifferences({ vault }: EnvironmentOutputs, connection: Connection): string[] {
  const { connection_settings: wanted } = vault;
  if (wanted === undefined) return [];
  const { passwordAuthentication, usernameTemplate, disableEscaping, rootRotation } = connection;
  const is = (found: string, declared: string | undefined) =>
    found === "" || declared === undefined || found === declared;
  return [
    ...(is(passwordAuthentication, wanted.password_authentication)
      ? []
      : [
          `its password_authentication is ${inLine(passwordAuthentication)}, not ${wanted.password_authentication}`,
        ]),
    ...(usernameTemplate === "" || is(statementsDigest([usernameTemplate]), wanted.username_template)
      ? []
      : ["its username_template is another"]),
    ...(wanted.disable_escaping === undefined || wanted.disable_escaping === disableEscaping
      ? []
      : [`its disable_escaping is ${disableEscaping}, not ${wanted.disable_escaping}`]),
    ...(rootRotation === undefined || is(statementsDigest(rootRotation), wanted.root_rotation)
      ? []
      : ["the SQL that sets the engine's own password (root_rotation_statements) is another"]),
  ];
}

function loginDifferences({ postgres }: EnvironmentOutputs, { username }: Connection): string[] {
  return username === "" ? [] : difference("it logs in as", inLine(username), postgres.manager);
}

function difference(what: string, is: string, wanted: string): string[] {
  return is === wanted ? [] : [`${what} ${is}, not ${wanted}`];
}

function sslMode({ options }: Destination): string {
  return options.get("sslmode") ?? "prefer";
}

const HOST = String.raw`(?:\[[0-9A-Fa-f:.]*\]|[\w.-]*)(?::\d*)?`;
const URL_FORM = new RegExp(
  String.raw`^postgres(?:ql)?://(?:([^/?#@]*)@)?(${HOST}(?:,${HOST})*)(?:/([^?#@]*))?(?:\?([^#]*))?$`,
);

/** Undefined for what is no URL of PostgreSQL's, or not certainly: what seems to be a host may be part of a password then. */
function destinationOf(url: string): Destination | undefined {
  const parts = URL_FORM.exec(url);
  if (parts === null) return undefined;
  const [, login = "", authority = "", database = "", query = ""] = parts;
  const [, host = authority, port = "5432"] = /^(\[.*\]|[^:,]*)(?::(\d+))?$/.exec(authority) ?? [];
  return {
    takesLoginFromEngine: login === "{{username}}:{{password}}",
    ...{ host, port, database },
    options: new Map(new URLSearchParams(query)),
  };
}
