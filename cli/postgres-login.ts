import * as fs from "node:fs";
import * as net from "node:net";
import { Client, DatabaseError, type ClientConfig } from "pg";
import type { PostgresOutput } from "../stacks/outputs";
import { catalogWait, loginHangs } from "./catalog-waits";

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** PostgreSQL's SQLSTATE codes that the checks tell apart. */
export const SqlState = {
  insufficientPrivilege: "42501",
  /** Such as of a role to its own member. */
  invalidGrant: "0LP01",
  invalidPassword: "28P01",
  invalidAuthorization: "28000",
  adminShutdown: "57P01",
  tooManyConnections: "53300",
  lockNotAvailable: "55P03",
  undefinedTable: "42P01",
  invalidSchema: "3F000",
  internalError: "XX000",
} as const;

/** An open connection that notices when the server ends it. */
export interface Session {
  readonly client: Client;
  /** Whether the server has ended the connection. */
  isEnded(): boolean;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 15_000;
/** Shorter, so that the server says that it is a lock. */
const LOCK_TIMEOUT_MS = 3_000;
/** The words of `pg`, which has no code for these. */
const CONNECT_TIMEOUT = "timeout expired";
const QUERY_TIMEOUT = "Query read timeout";

/**
 * Logs in with libpq's meaning of `sslmode`, which `pg` does not share: there `require` verifies.
 *
 * @param login a password is not needed where the server asks for none
 * @param database another database than that of the environment
 * @param rootCertificateFile PEM file of the certificate authority (PGSSLROOTCERT)
 * @throws CatalogWait, also from queries, if somebody's lock on a system catalog keeps us waiting
 */
export async function logIn(
  server: PostgresOutput,
  login: Pick<Login, "username"> & Partial<Login>,
  rootCertificateFile?: string,
  database = server.database,
): Promise<Session> {
  let refusal: unknown;
  for (const ssl of tlsAttempts(server.sslmode, rootCertificateFile)) {
    const config: ClientConfig = {
      host: server.host,
      port: server.port,
      database,
      user: login.username,
      password: login.password,
      ssl,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS,
      application_name: "vault-postgres",
    };
    const client = new Client(config);
    let ended = false;
    client.on("error", () => (ended = true));
    client.on("end", () => (ended = true));
    try {
      await client.connect();
      // Nothing that others have made is looked up. A startup option would do, but poolers refuse it.
      await client.query(`SET search_path = pg_catalog, pg_temp; SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
      explainWaits(client, config);
      return { client, isEnded: () => ended, close: () => client.end().catch(() => undefined) };
    } catch (error) {
      await client.end().catch(() => undefined);
      refusal = error;
      // Refused by PostgreSQL itself: the other kind of connection would be refused for the same reason.
      if (error instanceof DatabaseError) break;
    }
  }
  if (isTimeout(refusal) && (await takesConnections(server))) {
    throw loginHangs(whereOf(server), CONNECT_TIMEOUT_MS / 1_000);
  }
  throw refusal;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && [CONNECT_TIMEOUT, QUERY_TIMEOUT].includes(error.message);
}

function whereOf({ host, port }: Pick<ClientConfig, "host" | "port">): string {
  return `PostgreSQL at ${host}:${port}`;
}

function takesConnections({ host, port }: PostgresOutput): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: LOCK_TIMEOUT_MS });
    const end = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => end(true));
    for (const event of ["timeout", "error"]) socket.once(event, () => end(false));
  });
}

/** Where a query has waited in vain, a session of its own looks for who keeps it waiting; its own may be in a transaction. */
function explainWaits(client: Client, config: ClientConfig): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const explained = async (error: unknown): Promise<never> => {
    if (sqlState(error) === SqlState.lockNotAvailable || isTimeout(error)) {
      const cause = await waitNow(config);
      if (cause !== undefined) throw cause;
    }
    throw error;
  };
  client.query = ((...args: unknown[]) => {
    const answer = query(...args);
    return answer instanceof Promise ? answer.catch(explained) : answer;
  }) as Client["query"];
}

async function waitNow(config: ClientConfig): Promise<Error | undefined> {
  const client = new Client({
    ...config,
    connectionTimeoutMillis: LOCK_TIMEOUT_MS,
    query_timeout: LOCK_TIMEOUT_MS,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await catalogWait(client, whereOf(config));
  } catch (error) {
    return isTimeout(error) ? loginHangs(whereOf(config), LOCK_TIMEOUT_MS / 1_000) : undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The SQLSTATE of an error of PostgreSQL's; undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

type Tls = ClientConfig["ssl"];

function tlsAttempts(sslmode: string, rootCertificateFile: string | undefined): Tls[] {
  const ca = rootCertificateFile === undefined ? undefined : fs.readFileSync(rootCertificateFile, "utf8");
  const unverified: Tls = { rejectUnauthorized: false };
  switch (sslmode) {
    case "disable":
      return [false];
    case "allow":
      return [false, unverified];
    case "prefer":
      return [unverified, false];
    case "require":
      return [unverified];
    case "verify-ca":
      return [{ ca, checkServerIdentity: () => undefined }];
    default:
      return [{ ca }];
  }
}
