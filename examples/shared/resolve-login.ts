import { isLoginRefused, type DatabaseLogin } from "./swapping-pool";
import { askVault, VaultRefusal, type VaultAccess } from "./vault";

/** Where a login comes from, in the order in which they are tried. */
export type LoginSource = "dynamic" | "static" | "environment" | "defaults";

/** A source that was passed over. The reason holds no secret. */
export interface PassedSource {
  readonly source: LoginSource;
  readonly reason: string;
}

/** A lease of Vault's, which keeps a dynamic login alive. */
export interface Lease {
  readonly id: string;
  readonly seconds: number;
}

export interface Resolution {
  readonly source: LoginSource;
  readonly login: DatabaseLogin;
  /** Of a dynamic login only. */
  readonly lease?: Lease;
  readonly passed: readonly PassedSource[];
}

export interface LoginSources {
  /** @default - none: dynamic and static logins are passed over */
  readonly vault?: VaultAccess;
  /** API path that issues a dynamic login, such as `database/creds/reader`. */
  readonly credsPath: string;
  /** API path of what is no secret: `host`, `port`, `database`, and `username` of the static login. */
  readonly configPath: string;
  /** API path of the static `password`. */
  readonly passwordPath: string;
  /** Holds `PG_DSN`, or `DELPHI_DB_USER` and `DELPHI_DB_PASSWORD`, `…_HOST`, `…_PORT` and `…_NAME`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What is left to try, and where the database is unless something else says so. */
  readonly defaults: DatabaseLogin;
}

type Address = Pick<DatabaseLogin, "host" | "port" | "database">;
type Step = (sources: LoginSources) => Promise<Pick<Resolution, "login" | "lease">>;

/** The order. */
const STEPS: readonly (readonly [LoginSource, Step])[] = [
  ["dynamic", dynamicLogin],
  ["static", staticLogin],
  ["environment", environmentLogin],
  ["defaults", ({ defaults }) => Promise.resolve({ login: defaults })],
];

/** A source has nothing to give. */
class NothingThere extends Error {}

/**
 * Takes the first source whose login is accepted. A source is passed over if Vault cannot be reached or denies it, if there
 * is nothing in it, or if PostgreSQL refuses its login; whatever else goes wrong is thrown.
 *
 * @param accept tries the login
 */
export async function resolveLogin(
  sources: LoginSources,
  accept: (login: DatabaseLogin) => Promise<unknown>,
): Promise<Resolution> {
  const passed: PassedSource[] = [];
  for (const [source, step] of STEPS) {
    try {
      const found = await step(sources);
      await accept(found.login);
      return { source, ...found, passed };
    } catch (error) {
      const reason = reasonToPass(error);
      if (reason === undefined) throw error;
      passed.push({ source, reason });
    }
  }
  throw new Error(`No login: ${passed.map(({ source, reason }) => `${source}: ${reason}`).join("; ")}`);
}

function reasonToPass(error: unknown): string | undefined {
  if (error instanceof NothingThere || (error instanceof VaultRefusal && error.isOfServer)) {
    return error.message;
  }
  return isLoginRefused(error) ? "PostgreSQL refuses the login" : undefined;
}

async function dynamicLogin(sources: LoginSources): Promise<Pick<Resolution, "login" | "lease">> {
  const { data, lease_id, lease_duration } = await askVault(vaultOf(sources), sources.credsPath);
  const { username, password } = texts(data, sources.credsPath, ["username", "password"]);
  const lease = { id: lease_id ?? "", seconds: lease_duration ?? 0 };
  return { login: { ...(await addressOf(sources)), username, password }, lease };
}

async function staticLogin(sources: LoginSources): Promise<Pick<Resolution, "login">> {
  const { username } = texts(await keyValue(sources, sources.configPath), sources.configPath, ["username"]);
  const { password } = texts(await keyValue(sources, sources.passwordPath), sources.passwordPath, [
    "password",
  ]);
  return { login: { ...(await addressOf(sources)), username, password } };
}

function environmentLogin(sources: LoginSources): Promise<Pick<Resolution, "login">> {
  const { PG_DSN, DELPHI_DB_USER: username, DELPHI_DB_PASSWORD: password } = sources.environment;
  if (PG_DSN) return Promise.resolve({ login: loginOfUrl(PG_DSN, sources.defaults) });
  if (!username) return Promise.reject(new NothingThere("neither PG_DSN nor DELPHI_DB_USER is set"));
  return Promise.resolve({ login: { ...addressOfEnvironment(sources), username, password } });
}

/** The database's place, wherever the login is from: by Vault's description, else by the environment. */
async function addressOf(sources: LoginSources): Promise<Address> {
  try {
    const { host, port, database } = await keyValue(sources, sources.configPath);
    return { host: String(host), port: Number(port), database: String(database) };
  } catch (error) {
    if (reasonToPass(error) === undefined) throw error;
    return addressOfEnvironment(sources);
  }
}

function addressOfEnvironment({ environment, defaults }: LoginSources): Address {
  return {
    host: environment.DELPHI_DB_HOST ?? defaults.host,
    port: Number(environment.DELPHI_DB_PORT ?? defaults.port),
    database: environment.DELPHI_DB_NAME ?? defaults.database,
  };
}

function loginOfUrl(text: string, defaults: DatabaseLogin): DatabaseLogin {
  // The error of `new URL` would hold the text, and with it the password.
  if (!URL.canParse(text) || !/^postgres(ql)?:/.test(text)) {
    throw new Error("PG_DSN is not of the form postgresql://user:password@host:port/database.");
  }
  const { hostname, port, pathname, username, password } = new URL(text);
  return {
    host: hostname || defaults.host,
    port: Number(port || 5432),
    database: decodeURIComponent(pathname.slice(1)) || defaults.database,
    username: decodeURIComponent(username) || defaults.username,
    password: decodeURIComponent(password) || undefined,
  };
}

async function keyValue(sources: LoginSources, path: string): Promise<Readonly<Record<string, unknown>>> {
  const { data } = await askVault(vaultOf(sources), path);
  // A key-value engine of version 2 puts the content beside what it knows of the version.
  return (data?.data ?? {}) as Record<string, unknown>;
}

function vaultOf({ vault }: LoginSources): VaultAccess {
  if (vault === undefined) throw new NothingThere("no Vault is configured");
  return vault;
}

function texts<Name extends string>(
  data: Readonly<Record<string, unknown>> | null | undefined,
  path: string,
  names: readonly Name[],
): Record<Name, string> {
  const missing = names.find((name) => typeof data?.[name] !== "string");
  if (missing !== undefined) throw new NothingThere(`there is no ${missing} at ${path}`);
  return data as Record<Name, string>;
}
