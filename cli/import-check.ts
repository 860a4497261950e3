import * as fs from "node:fs";
import type { ProofContext } from "./context";
import { setting } from "./context";
import { describeError, UserError } from "./errors";
import type { Recovery, Resources, Settings } from "./import-ids";
import {
  databaseDifferences,
  isPlain,
  roleDifferences,
  schemaDifferences,
  type DatabaseThere,
  type RolesInCode,
  type RoleThere,
  type SchemaThere,
} from "./import-kinds";
import { DATABASE, ROLE, SCHEMA } from "./import-queries";
import { VAULT_KINDS, vaultDifferences } from "./import-vault-kinds";
import { hostOf } from "./operator-login";
import { logIn, type Session } from "./postgres-login";
import { RateLimit } from "./rate-limit";
import { requireVault } from "./reachable";
import { VaultClient, VaultError } from "./vault-client";

/** A stack whose resources are to be imported. */
export interface ToImport {
  readonly resources: Resources;
  /** Settings of its providers, by kind. */
  readonly providers: Readonly<Record<string, readonly Settings[] | undefined>>;
  readonly todo: readonly Recovery[];
}

/**
 * Looks at everything on the servers that is about to be imported, for what the code does not say: a login of production that
 * has the name of a base role, say, which the next deployment would shut out.
 *
 * @throws UserError that names each, and for a server that cannot be looked at
 */
export async function requireOurs(
  stacks: readonly ToImport[],
  env: NodeJS.ProcessEnv,
  context: ProofContext,
): Promise<void> {
  const code = rolesInCode(stacks);
  const problems: string[] = [];
  for (const stack of stacks) {
    const servers = new Servers(stack.providers, env, context);
    try {
      for (const { address, way } of stack.todo) {
        if (way !== "import") continue;
        const [type = "", name = ""] = address.split(".");
        const wanted = stack.resources[type]?.[name] ?? {};
        const differences = await servers.differences(type, wanted, code);
        problems.push(...differences.map((each) => `  ${nameOf(wanted)} ${each} (${address})`));
      }
    } finally {
      await servers.close();
    }
  }
  if (problems.length === 0) return;
  throw new UserError(
    `What stands on the servers is not what the code says of it, and nothing was imported:\n${problems.join("\n")}`,
    "Where it is another's, leave it alone: give what the code declares another name, or use what is there by fromName. " +
      "Where it is this stack's and was changed by hand, change it back, and run this again.",
  );
}

/** Reads how things stand on the servers of a stack. */
class Servers {
  private readonly sessions = new Map<string, Promise<Session>>();
  private readonly vaults = new Map<string, Promise<VaultClient>>();

  constructor(
    private readonly providers: ToImport["providers"],
    private readonly env: NodeJS.ProcessEnv,
    private readonly context: ProofContext,
  ) {}

  async close(): Promise<void> {
    for (const session of this.sessions.values()) {
      await session.then((each) => each.close()).catch(() => undefined);
    }
  }

  /** How a resource differs in kind; nothing where it is not there, or has no kind to differ in. */
  async differences(type: string, wanted: Settings, code: RolesInCode): Promise<string[]> {
    switch (type) {
      case "postgresql_role": {
        const [there] = await this.query<RoleThere>(wanted, ROLE, [wanted.name]);
        return there === undefined ? [] : roleDifferences(wanted, there, code);
      }
      case "postgresql_database": {
        const [there] = await this.query<DatabaseThere>(wanted, DATABASE, [wanted.name]);
        return there === undefined ? [] : databaseDifferences(wanted, there, this.login(wanted).username);
      }
      case "postgresql_schema": {
        const database = String(wanted.database);
        const [around] = await this.query<DatabaseThere>(wanted, DATABASE, [database]);
        if (around === undefined) return [];
        if (!around.entered) return [`is in the database ${database}, which Terraform's login may not enter`];
        const [there] = await this.query<SchemaThere>(wanted, SCHEMA, [wanted.name], database);
        return there === undefined ? [] : schemaDifferences(wanted, there, this.login(wanted).username);
      }
      default: {
        const kind = VAULT_KINDS[type];
        if (kind === undefined) return [];
        const data = await this.read(
          wanted,
          kind.path((name) => String(wanted[name])),
        );
        return data === undefined ? [] : vaultDifferences(type, wanted, data);
      }
    }
  }

  private async query<T extends object>(
    wanted: Settings,
    sql: string,
    values: readonly unknown[],
    database?: string,
  ): Promise<T[]> {
    const session = await this.session(wanted, database);
    return (await session.client.query<T>(sql, [...values])).rows;
  }

  private session(wanted: Settings, database = setting(this.env.PGDATABASE) ?? "postgres"): Promise<Session> {
    const { host, port, username, password, sslmode, rootCertificateFile } = this.login(wanted);
    const key = JSON.stringify([host, port, username, database]);
    const open = async () => {
      try {
        const server = { host, port, sslmode, database, manager: "" };
        const session = await logIn(server, { username, password }, rootCertificateFile, database);
        await session.client.query(
          "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)",
        );
        return session;
      } catch (error) {
        throw new UserError(
          `PostgreSQL at ${host}:${port} could not be looked at as ${username}, in ${database}: ${describeError(error)}`,
          "Set the variables of cdktf deploy, PGPASSWORD among them, and run this again.",
        );
      }
    };
    const known = this.sessions.get(key) ?? open();
    this.sessions.set(key, known);
    return known;
  }

  /** As Terraform's provider logs in. */
  private login(wanted: Settings) {
    const provider = this.provider("postgresql", wanted);
    const get = (name: string, variable: string) =>
      this.resolve(provider[name]) ?? setting(this.env[variable]);
    return {
      host: this.resolve(provider.host) ?? hostOf(this.env) ?? "localhost",
      port: Number(get("port", "PGPORT") ?? 5432),
      username: get("username", "PGUSER") ?? "postgres",
      password: get("password", "PGPASSWORD"),
      sslmode: get("sslmode", "PGSSLMODE") ?? "require",
      rootCertificateFile: get("sslrootcert", "PGSSLROOTCERT"),
    };
  }

  /**
   * What Vault says of a path; undefined where it says that there is nothing.
   *
   * @throws UnexpectedAnswer for an answer that is not Vault's: what was not looked at may be another's
   */
  private async read(wanted: Settings, path: string): Promise<Settings | undefined> {
    const vault = await this.vault(wanted);
    try {
      return (await vault.read(path)).data ?? undefined;
    } catch (error) {
      if (error instanceof VaultError && saysNothingThere(error)) return undefined;
      throw error;
    }
  }

  /** As Terraform's provider reaches it. The token goes to nothing but Vault. */
  private vault(wanted: Settings): Promise<VaultClient> {
    const provider = this.provider("vault", wanted);
    const address = this.resolve(provider.address) ?? setting(this.env.VAULT_ADDR);
    if (address === undefined) {
      throw new UserError("It is not said where Vault is.", "Set VAULT_ADDR, and run this again.");
    }
    const ca = this.resolve(provider.ca_cert_file);
    const namespace = this.resolve(provider.namespace) ?? this.context.vaultNamespace;
    const open = async () => {
      const client = new VaultClient({
        ...{ address, namespace, token: this.context.vaultToken },
        caCertificate: ca === undefined ? this.context.vaultCaCertificate : fs.readFileSync(ca, "utf8"),
        rateLimit: new RateLimit(this.context.note),
      });
      await requireVault(client);
      return client;
    };
    const key = JSON.stringify([address, namespace, ca]);
    const known = this.vaults.get(key) ?? open();
    this.vaults.set(key, known);
    return known;
  }

  private provider(kind: string, wanted: Settings): Settings {
    const alias = isPlain(wanted.provider) ? wanted.provider.split(".")[1] : undefined;
    return this.providers[kind]?.find((each) => each.alias === alias) ?? {};
  }

  /** The value of a setting, also where it is a variable of Terraform's. */
  private resolve(value: unknown): string | undefined {
    if (typeof value === "number") return String(value);
    if (isPlain(value)) return setting(value);
    const name = typeof value === "string" ? /^\$\{var\.([A-Za-z0-9_-]+)\}$/.exec(value)?.[1] : undefined;
    return name === undefined ? undefined : setting(this.env[`TF_VAR_${name}`]);
  }
}

/** 400 is what the server says of a mount, or of something in a mount, that is not there. */
function saysNothingThere({ status, errors }: VaultError): boolean {
  return (
    status === 404 ||
    (status === 400 && /no (secret|auth) engine mount|no handler|No auth/i.test(errors.join()))
  );
}

/** What a role may make things in, by the grants of all stacks of the environment, and which databases it is to own. */
function rolesInCode(stacks: readonly ToImport[]): RolesInCode {
  const creates = new Map<string, Set<string>>();
  const owners = new Map<string, Set<string>>();
  const add = (to: Map<string, Set<string>>, role: unknown, database: unknown) => {
    if (isPlain(role) && isPlain(database)) to.set(role, (to.get(role) ?? new Set()).add(database));
  };
  for (const { resources } of stacks) {
    for (const { role, database, privileges } of Object.values(resources.postgresql_grant ?? {})) {
      if (Array.isArray(privileges) && privileges.includes("CREATE")) add(creates, role, database);
    }
    for (const { owner, name } of Object.values(resources.postgresql_database ?? {}))
      add(owners, owner, name);
  }
  return { creates, owners };
}

function nameOf({ name, role_name, path }: Settings): string {
  return JSON.stringify(name ?? role_name ?? path);
}
