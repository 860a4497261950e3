// Blocks of the database connection that the stand-in does not serve. They are part of the schema all the same,
// so that a state of the real plugin can be read; what the bindings do not say of them is here.
import type { BlockFacts } from "../schema/types";

const withCertificates = ["password", "service_account_json", "tls_certificate_key"];

export const OTHER_ENGINES: Readonly<Record<string, BlockFacts>> = {
  cassandra: hidden(["password", "pem_bundle", "pem_json"]),
  couchbase: hidden(["password", "base64_pem"]),
  elasticsearch: hidden(["password"]),
  hana: hidden(["password"], ["password_wo"]),
  influxdb: hidden(["password", "pem_bundle", "pem_json"]),
  mongodb: hidden(["password"], ["password_wo"]),
  mongodbatlas: hidden(["private_key"]),
  mssql: hidden(["password"], ["password_wo"]),
  mysql_aurora: hidden(withCertificates, ["password_wo"]),
  mysql_legacy: hidden(withCertificates, ["password_wo"]),
  mysql_rds: hidden(withCertificates, ["password_wo"]),
  oracle: hidden(["password"], ["password_wo"]),
  redis: hidden(["password"]),
  redis_elasticache: hidden(["password", "username"]),
  redshift: hidden(["password"], ["password_wo"]),
  snowflake: {
    ...hidden(["password", "private_key_wo"], ["password_wo", "private_key_wo"]),
    deprecated: ["password"],
  },
};

function hidden(sensitive: readonly string[], writeOnly: readonly string[] = []): BlockFacts {
  return { serves: [], sensitive, writeOnly };
}
