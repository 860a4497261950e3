import * as fs from "node:fs";
import { Client, DatabaseError, type ClientConfig } from "pg";
import type { PostgresOutput } from "../stacks/outputs";

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** PostgreSQL's SQLSTATE codes that the checks tell apart. */
export const SqlState = {
  insufficientPrivilege: "42501",
  invalidPassword: "28P01",
  invalidAuthorization: "28000",
  adminShutdown: "57P01",
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

/**
 * Logs in with libpq's meaning of `sslmode`, which `pg` does not share: there `require` verifies.
 *
 * @param login a password is not needed where the server asks for none
 * @param database another database than that of the environment
 * @param rootCertificateFile PEM file of the certificate authority (PGSSLROOTCERT)
 */
export async function logIn(
  server: PostgresOutput,
  login: Pick<Login, "username"> & Partial<Login>,
  rootCertificateFile?: string,
  database = server.database,
): Promise<Session> {
  let refusal: unknown;
  for (const ssl of tlsAttempts(server.sslmode, rootCertificateFile)) {
    const client = new Client({
      host: server.host,
      port: server.port,
      database,
      user: login.username,
      password: login.password,
      ssl,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS,
      application_name: "vault-postgres",
    });
    let ended = false;
    client.on("error", () => (ended = true));
    client.on("end", () => (ended = true));
    try {
      await client.connect();
      // Nothing that others have made is looked up. A startup option would do, but poolers refuse it.
      await client.query("SET search_path = pg_catalog, pg_temp");
      return { client, isEnded: () => ended, close: () => client.end().catch(() => undefined) };
    } catch (error) {
      await client.end().catch(() => undefined);
      refusal = error;
      // Refused by PostgreSQL itself: the other kind of connection would be refused for the same reason.
      if (error instanceof DatabaseError) break;
    }
  }
  throw refusal;
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
