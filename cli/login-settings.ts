import { escapeIdentifier, type Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import type { Finding } from "./finding";
import { shownLiteral } from "./sql-text";
import { inLine } from "./text";

/** A setting with which a login's sessions begin, unless one that is nearer to the login says otherwise. */
export interface LoginSetting {
  readonly name: string;
  /** As much of it as fits {@link LONGEST_READ}. */
  readonly value: string;
  /** What it is set for; `server` for the configuration of the whole server. */
  readonly on: "login in database" | "login" | "database" | "all logins" | "server";
  /** Name of the login, where it is set for one. */
  readonly login?: string;
}

/** The nearest first. */
const NEAREST: readonly LoginSetting["on"][] = [
  ...(["login in database", "login", "database", "all logins", "server"] as const),
];
/** Less than these, in milliseconds, ends work that is as it should be. */
const SHORTEST_MS: Readonly<Record<string, number>> = {
  statement_timeout: 1_000,
  transaction_timeout: 10_000,
  idle_in_transaction_session_timeout: 1_000,
  idle_session_timeout: 1_000,
  lock_timeout: 100,
};
const SEEN = [
  ...Object.keys(SHORTEST_MS),
  ...["default_transaction_read_only", "role", "session_authorization", "search_path"],
  ...["session_preload_libraries", "local_preload_libraries", "standard_conforming_strings"],
];
const PINNED_PATH = "pg_catalog, pg_temp";
/** Characters of a setting that are fetched: whoever has a login chooses how long its settings are, up to 1 GB. */
const LONGEST_READ = 1_000;
const LONGEST_SHOWN = 200;

/** Those that may hinder the engine's login and the logins of static roles; from whichever database it is looked. */
export async function loginSettings(client: Client, outputs: EnvironmentOutputs): Promise<LoginSetting[]> {
  const { database, manager } = outputs.postgres;
  const statics = Object.values(outputs.static_roles ?? {}).map(({ username }) => username);
  const { rows } = await client.query<{
    on: LoginSetting["on"];
    login: string | null;
    name: string;
    value: string;
  }>(
    `SELECT * FROM (
       SELECT CASE WHEN setting.setrole OPERATOR(pg_catalog.=) 0::pg_catalog.oid
           THEN CASE WHEN setting.setdatabase OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'all logins' ELSE 'database' END
           ELSE CASE WHEN setting.setdatabase OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'login' ELSE 'login in database' END
         END AS on, login.rolname::pg_catalog.text AS login,
         pg_catalog.split_part(entry, '=', 1) AS name,
         pg_catalog.substr(entry, pg_catalog.strpos(entry, '=') OPERATOR(pg_catalog.+) 1) AS value
       FROM pg_catalog.pg_db_role_setting AS setting
       LEFT JOIN pg_catalog.pg_roles AS login ON login.oid OPERATOR(pg_catalog.=) setting.setrole
       LEFT JOIN pg_catalog.pg_database AS base ON base.oid OPERATOR(pg_catalog.=) setting.setdatabase
       CROSS JOIN LATERAL (SELECT pg_catalog.left(whole, ${LONGEST_READ}) FROM pg_catalog.unnest(setting.setconfig) AS of (whole)) AS one (entry)
       WHERE (setting.setrole OPERATOR(pg_catalog.=) 0::pg_catalog.oid OR login.rolname OPERATOR(pg_catalog.=) ANY ($1))
         AND (setting.setdatabase OPERATOR(pg_catalog.=) 0::pg_catalog.oid OR base.datname OPERATOR(pg_catalog.=) $2)
       UNION ALL
       SELECT 'server', NULL, name, CASE WHEN unit OPERATOR(pg_catalog.=) 'ms' THEN pg_catalog.concat(setting, unit) ELSE setting END
       FROM pg_catalog.pg_settings WHERE source OPERATOR(pg_catalog.=) 'configuration file'
     ) AS found WHERE found.name OPERATOR(pg_catalog.=) ANY ($3)`,
    [[manager, ...statics], database, SEEN],
  );
  return rows.map(({ login, ...row }) => ({ ...row, ...(login !== null && { login }) }));
}

/** What of them stops the engine, or the application of a static role. */
export function loginSettingFindings(
  outputs: EnvironmentOutputs,
  settings: readonly LoginSetting[],
): Finding[] {
  const { manager } = outputs.postgres;
  const found = [
    ...hindrances(settings, manager, hindersEngine).map(({ setting, effect }) =>
      finding(outputs, setting, `for the engine's login ${manager}: ${effect}`),
    ),
    ...Object.entries(outputs.static_roles ?? {}).flatMap(([name, { username, base_role, access }]) => {
      // Of a login that was there before, only its owner knows what to expect.
      if (base_role === undefined) return [];
      const hinders = (setting: LoginSetting) => hindersStatic(setting, base_role, access);
      return hindrances(settings, username, hinders).map(({ setting, effect }) =>
        finding(outputs, setting, `for ${username}, the login of the static role ${name}: ${effect}`),
      );
    }),
  ];
  // What is set for all is told once.
  return found.filter(({ remedy }, index) => found.findIndex((other) => other.remedy === remedy) === index);
}

type Hinders = (setting: LoginSetting) => string | undefined;

function hindrances(settings: readonly LoginSetting[], login: string, hinders: Hinders) {
  const ofLogin = settings
    .filter((setting) => setting.login === undefined || setting.login === login)
    .sort((one, other) => NEAREST.indexOf(one.on) - NEAREST.indexOf(other.on));
  return ofLogin
    .filter(({ name }, index) => ofLogin.findIndex((other) => other.name === name) === index)
    .flatMap((setting) => {
      const effect = hinders(setting);
      return effect === undefined ? [] : [{ setting, effect }];
    });
}

function hindersEngine(setting: LoginSetting): string | undefined {
  const { name, value, login } = setting;
  switch (name) {
    case "default_transaction_read_only":
      return isOn(value) ? "it issues, revokes and rotates nothing" : undefined;
    case "role":
    case "session_authorization":
      return isNone(value) ? undefined : "it works with the rights of another";
    case "search_path":
      // Our SQL pins its own; the engine's that sets passwords names nothing by its schema.
      if (!findsCatalogFirst(value))
        return "the engine finds there what others have made when it sets a password";
      return login === undefined || plain(value) === plain(PINNED_PATH)
        ? undefined
        : "SQL of one's own finds there what others have made";
    case "session_preload_libraries":
    case "local_preload_libraries":
      return login === undefined || value === "" ? undefined : "each of its sessions loads that, or fails";
    case "standard_conforming_strings":
      return isOn(value) ? undefined : "a backslash in its SQL has another meaning";
    default:
      return isTooShort(setting) ? "what takes longer fails" : undefined;
  }
}

function hindersStatic(setting: LoginSetting, base: string, access: string | undefined): string | undefined {
  const { name, value } = setting;
  switch (name) {
    case "default_transaction_read_only":
      return isOn(value) && (access === "owner" || access === "read-write") ? "it writes nothing" : undefined;
    case "role":
    case "session_authorization":
      return isNone(value) || unquoted(value) === base ? undefined : "it works with the rights of another";
    case "statement_timeout":
    case "transaction_timeout":
      return isTooShort(setting) ? "what takes longer fails" : undefined;
    default:
      return undefined;
  }
}

function finding({ postgres }: EnvironmentOutputs, setting: LoginSetting, effect: string): Finding {
  const { name, value, on, login = "" } = setting;
  const { database, manager } = postgres;
  const role = escapeIdentifier(login);
  const base = escapeIdentifier(database);
  const places = {
    "login in database": { subject: login, change: `ALTER ROLE ${role} IN DATABASE ${base}` },
    login: { subject: login, change: `ALTER ROLE ${role}` },
    database: { subject: database, change: `ALTER DATABASE ${base}` },
    "all logins": { subject: "all logins", change: "ALTER ROLE ALL" },
    server: { subject: "the server", change: "ALTER SYSTEM" },
  };
  const { subject, change } = places[on];
  const isPath = name === "search_path";
  // What others work with, where it is set for them too, stays.
  const path = on.startsWith("login") ? change : `ALTER ROLE ${escapeIdentifier(manager)}`;
  const undo = isPath ? `${path} SET search_path = ${PINNED_PATH};` : `${change} RESET ${name};`;
  const reload =
    on === "server" && !isPath
      ? " SELECT pg_catalog.pg_reload_conf(); it may be in postgresql.conf as well."
      : "";
  return {
    kind: "hindering-setting",
    subject,
    detail: `${name} is ${inLine(shownValue(value))}, ${effect}`,
    remedy:
      `Find out who set it, and what for. As a superuser: ${undo}${reload} Sessions that are open keep it; the engine's: ` +
      "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename " +
      `OPERATOR(pg_catalog.=) ${shownLiteral(manager)};`,
  };
}

/** What fills a screen is not told. */
function shownValue(value: string): string {
  return value.length <= LONGEST_SHOWN ? value : `${value.slice(0, LONGEST_SHOWN)}…`;
}

/** As PostgreSQL reads it: any beginning of the word. */
function isOn(value: string): boolean {
  return /^(on|1|t|tr|tru|true|y|ye|yes)$/i.test(value.trim());
}

function isNone(value: string): boolean {
  return /^(none|default|)$/i.test(value.trim());
}

function isTooShort({ name, value }: LoginSetting): boolean {
  const [, amount, unit = "ms"] = /^\s*'?\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*'?\s*$/.exec(value) ?? [];
  const factors: Readonly<Record<string, number>> = {
    ...{ us: 0.001, ms: 1, s: 1_000 },
    ...{ min: 60_000, h: 3_600_000, d: 86_400_000 },
  };
  const milliseconds = Number(amount ?? 0) * (factors[unit] ?? 1);
  return milliseconds > 0 && milliseconds < (SHORTEST_MS[name] ?? 0);
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value;
}

/** PostgreSQL looks in `pg_catalog` first unless the path names it later. */
function findsCatalogFirst(path: string): boolean {
  const schemas = (path.match(/"(?:[^"]|"")*"|[^,\s]+/g) ?? []).map(unquoted);
  return schemas.indexOf("pg_catalog") <= 0;
}

function plain(path: string): string {
  return path.replace(/["\s]/g, "");
}
