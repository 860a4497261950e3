// The provider cyrilgdn/postgresql, as far as the sandbox needs it.
import type { Attributes } from "../resource/attributes";
import type { ProviderType } from "../resource/type";
import { database } from "./database";
import { defaultPrivileges } from "./default-privileges";
import { grant } from "./grant";
import { grantRole } from "./grant-role";
import { role } from "./role";
import { schema } from "./schema";
import { PostgresServer, SSL_MODES } from "./server";

export const postgresqlProvider: ProviderType<PostgresServer> = {
  name: "postgresql",
  facts: {
    serves: [
      "host",
      "port",
      "username",
      "password",
      "database",
      "sslmode",
      "sslrootcert",
      "superuser",
      "connect_timeout",
      "max_connections",
    ],
    sensitive: ["password"],
    deprecated: ["ssl_mode"],
    defaults: { scheme: "postgres", expected_version: "9.0.0" },
  },
  dataSources: {},
  resources: {
    postgresql_database: database,
    postgresql_default_privileges: defaultPrivileges,
    postgresql_grant: grant,
    postgresql_grant_role: grantRole,
    postgresql_role: role,
    postgresql_schema: schema,
  },

  configure(config, environment) {
    const text = (name: string, variable: string, fallback: string) =>
      [config.text(name), environment[variable], fallback].find((each) => each) ?? "";
    const number = (name: string, variable: string, fallback: number) =>
      config.isSet(name) ? config.number(name) : wholeNumber(variable, environment[variable], fallback);
    const sslmode = text("sslmode", "PGSSLMODE", "require");
    if (!SSL_MODES.includes(sslmode)) {
      throw new Error(`the sslmode ${JSON.stringify(sslmode)} is not one of ${SSL_MODES.join(", ")}`);
    }
    return Promise.resolve(
      new PostgresServer({
        host: text("host", "PGHOST", "localhost"),
        port: number("port", "PGPORT", 5432),
        username: text("username", "PGUSER", "postgres"),
        password: text("password", "PGPASSWORD", ""),
        database: text("database", "PGDATABASE", "postgres"),
        sslmode,
        sslrootcert: config.text("sslrootcert"),
        superuser: isSuperuser(config, environment),
        connectTimeoutSeconds: number("connect_timeout", "PGCONNECT_TIMEOUT", 180),
        maxConnections: number("max_connections", "", 20),
      }),
    );
  },

  close: () => Promise.resolve(),
};

function isSuperuser(config: Attributes, environment: NodeJS.ProcessEnv): boolean {
  if (config.isSet("superuser")) {
    return config.flag("superuser");
  }
  return !["false", "f", "0"].includes((environment.PGSUPERUSER ?? "").toLowerCase());
}

function wholeNumber(variable: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === "") {
    return fallback;
  }
  if (!/^-?\d+$/.test(text)) {
    throw new Error(`${variable} is not a whole number: ${JSON.stringify(text)}`);
  }
  return Number(text);
}
