import { ConfigurationError, CredentialsTemplate, KeyValueContent } from "../../lib";

const visible =
  (values: Record<string, string | number>, ...notSecret: string[]) =>
  () =>
    KeyValueContent.visible(values, { notSecret });

describe("a visible value whose name says that it is a secret is refused:", () => {
  test.each([
    ...["PGPASSWORD", "dbPassword", "DB_PASSWORD", "db-password", "mysql.password", "password1", "passwords"],
    ...[
      "DBPASS",
      "db_pass",
      "pwd",
      "passwd",
      "passphrase",
      "api_key",
      "apiKey",
      "APIKEY",
      "x-api-key",
      "accessKey",
    ],
    ...[
      "AWS_SECRET_ACCESS_KEY",
      "secret",
      "client_secret",
      "clientSecret",
      "secret_id",
      "secretKeyBase",
      "tokens",
    ],
    ...[
      "GITHUB_TOKEN",
      "authToken",
      "private_key",
      "privateKey",
      "ssh-private-key",
      "signingKey",
      "encryption_key",
    ],
    ...[
      "credentials",
      "DATABASE_URL",
      "databaseUrl",
      "REDIS_URL",
      "MONGODB_URI",
      "dburl",
      "DSN",
      "connectionString",
    ],
    ...[
      "password_hash",
      "passwordValue",
      "basicAuthPassword",
      "jwt",
      "authorization",
      "sessionKey",
      "HTPASSWD",
      "unsealKey",
      "encryptKey",
      "clientKey",
      "pin",
      "totp",
    ],
  ])("%s", (key) => {
    expect(visible({ host: "db", [key]: "hunter2" })).toThrow(
      `The visible key-value content has the key "${key}", which names a secret.`,
    );
    expect(visible({ [key]: 42 })).toThrow(ConfigurationError);
    expect(visible({ [key]: "hunter2" })).toThrow(/KeyValueContent\.writeOnly.*notSecret/);
    expect(visible({ [key]: "hunter2" })).not.toThrow(/hunter2/);
    expect(visible({ [key]: "hunter2" }, key)).not.toThrow();
  });
});

describe("so is one with another word for it:", () => {
  test.each([
    ...["DB_PSW", "dbPswd", "PSW", "GH_PAT", "PAT", "githubPat", "PAT_CI", "passkey", "passKey", "user_cred"],
    ...[
      "priv_key",
      "privKey",
      "PRIVKEY",
      "cert_key",
      "rsa_key",
      "ed25519_key",
      "gpg-key",
      "aesKey",
      "APP_KEY",
    ],
    ...["preshared_key", "WG_PSK", "admin_key", "api_key_ro", "sshkey", "keyPrivate", "subscriptionKeys"],
    ...["DATABASE_URL_RO", "databaseUrlPrimary", "REDIS_URL_1", "PG_URI_replica", "dburls", "CLOUDINARY_URL"],
    ...[
      "db_dsn_ro",
      "conn_str",
      "basic_auth",
      "seedPhrase",
      "backup_codes",
      "accessCode",
      "AUTH_SALT",
      "pepper",
    ],
    ...[
      "slackWebhook",
      "session_cookie",
      "dockerconfigjson",
      "kubeconfig",
      "NETRC",
      "client_pfx",
      "storage_sas",
    ],
  ])("%s", (key) => {
    expect(visible({ [key]: "hunter2" })).toThrow(`has the key "${key}", which names a secret.`);
    expect(visible({ [key]: "hunter2" }, key)).not.toThrow();
  });
});

describe("a name of a server's URL is taken where the value is an address and no more:", () => {
  test.each<[key: string, value: string]>([
    ["DATABASE_URL_RO", "postgres://replica.example.com:5432/orders"],
    ["databaseUrlPrimary", "postgres://db/orders"],
    ["redis_url", "cache:6379"],
    ["MONGO_URL", "a:27017,b:27017"],
  ])("%s, %s", (key, value) => {
    expect(visible({ [key]: value })).not.toThrow();
    expect(visible({ [key]: `${value}?x=hunter2` })).toThrow(/which names a secret/);
  });

  test("and not where it has a login", () => {
    expect(visible({ DATABASE_URL_RO: "postgres://app:hunter2@db/orders" })).toThrow(/a URL with a password/);
    expect(visible({ DATABASE_URL_RO: "postgres://app@db/orders" })).toThrow(/which names a secret/);
  });
});

describe("one whose name does not is taken:", () => {
  test.each([
    ...[
      "host",
      "port",
      "PGHOST",
      "database",
      "user",
      "username",
      "token_path",
      "password_policy",
      "passwordFile",
    ],
    ...["secretName", "token_ttl", "api_key_header", "TOKEN_URL", "public_key", "key", "keyboard", "bypass"],
    ...[
      "secretary",
      "tokenizer",
      "compass",
      "passenger",
      "region",
      "url",
      "baseUrl",
      "private_key_path",
      "author",
    ],
    ...["primary_key", "primaryKey", "foreign_keys", "sort_key", "partitionKey", "routing_key", "cache_key"],
    ...["key_id", "AWS_ACCESS_KEY_ID", "keyName", "ssh_public_key", "publicKey", "hash_key", "keys", "key_1"],
    ...["path", "patch", "pattern", "compat", "dispatch", "spatial", "format", "cookie_domain", "cookieName"],
    ...[
      "webhook_timeout",
      "webhookPath",
      "certificate",
      "cert",
      "tls_cert",
      "ca_cert",
      "privacy",
      "priority",
    ],
    ...["db", "database_name", "database_url_path", "db_url_env", "connection", "connection_limit", "basic"],
    ...[
      "auth",
      "auth_method",
      "country_code",
      "postal_code",
      "status_codes",
      "phrase",
      "string",
      "query_string",
    ],
    ...[
      "application",
      "app",
      "appName",
      "cipher",
      "cipher_suites",
      "sassy",
      "salted",
      "credit",
      "accredited",
    ],
  ])("%s", (key) => expect(visible({ [key]: "x" })).not.toThrow());
});

const base64 = (text: string) => Buffer.from(text).toString("base64");
const jwt = `${base64('{"alg":"HS256"}').replaceAll("=", "")}.${base64('{"sub":"somebody"}').replaceAll("=", "")}.c2lnbmF0dXJl`;
const SECRETS: readonly (readonly [string, string])[] = [
  ["postgres://app:hunter2@db/orders", "a URL with a password"],
  ["jdbc:postgresql://app:hunter2@db/orders", "a URL with a password"],
  ["redis://:hunter2@cache:6379", "a URL with a password"],
  ["amqp://a:p%40ss/w@mq/", "a URL with a password"],
  ["see https://me:hunter2@example.com for more", "a URL with a password"],
  ["app:hunter2@tcp(db:3306)/orders", "a URL with a password"],
  ["host=db user=app password=hunter2", 'a text that sets "password"'],
  ["Server=db;Database=orders;Pwd=hunter2", 'a text that sets "Pwd"'],
  ["jdbc:mysql://db/orders?user=app&password=hunter2", 'a text that sets "password"'],
  ["PGHOST=db\nexport PGPASSWORD=hunter2", 'a text that sets "PGPASSWORD"'],
  ["database:\n  host: db\n  password: hunter2\n", 'a text that sets "password"'],
  ['{"host":"db","auth":{"dbPassword":"hunter2"}}', 'a text that sets "dbPassword"'],
  ['[{"name":"x","apiKey":"hunter2"}]', 'a text that sets "apiKey"'],
  ['{"url":"postgres://app:hunter2@db/orders"}', "a URL with a password"],
  [JSON.stringify(JSON.stringify({ token: "hunter2" })), 'a text that sets "token"'],
  [base64("postgres://app:hunter2@db/orders"), "a URL with a password"],
  [base64('{"password":"hunter2"}'), 'a text that sets "password"'],
  ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "a private key"],
  ["-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", "a private key"],
  [base64("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"), "a private key"],
  [jwt, "a JSON Web Token"],
  ["hvs.CAESIJ0123456789abcdef", "a token of Vault"],
  ["s.0123456789abcdefghijABCD", "a token of Vault"],
  [`ghp_${"a1".repeat(18)}`, "a token"],
  [`glpat-${"a1".repeat(10)}`, "a token"],
  [`xoxb-${"12".repeat(10)}`, "a token"],
  [`sk_live_${"a1".repeat(12)}`, "a token"],
  ["AKIAIOSFODNN7EXAMPLE", "a key of a cloud service"],
  ["SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy", "a password's hash"],
  ["Bearer 0123456789abcdef", "a header to log in with"],
  ["db:\n  password: hunter2", 'a text that sets "password"'],
  ["users:\n- name: x\n  user:\n    token: hunter2", 'a text that sets "token"'],
  [`user:\n  client-key-data: ${base64("hunter2 hunter2")}`, 'a text that sets "client-key-data"'],
  [JSON.stringify({ auths: { registry: { auth: base64("app:hunter2hunter2") } } }), "a login in base64"],
  ["define('DB_PASSWORD', 'hunter2');", 'a text that sets "DB_PASSWORD"'],
  ["ALTER ROLE x PASSWORD 'hunter2'", 'a text that sets "PASSWORD"'],
  ["CREATE USER x IDENTIFIED BY 'hunter2'", "SQL with a password"],
  ["<password>hunter2</password>", 'a text that sets "password"'],
  ['<add key="Password" value="hunter2"/>', 'a text that sets "Password"'],
  ["machine db login app password hunter2", "a file of logins"],
  ["uri ldap://db\nbindpw hunter2", "a password"],
  [JSON.stringify({ kty: "oct", k: "hunter2" }), "a private key"],
  [`whsec_${"a1".repeat(10)}`, "a token"],
  ["https://blobs.example.com/c?sv=2020&sig=hunter2hunter2%3D", "a signed URL"],
  ["https://discord.com/api/webhooks/1/hunter2", "a webhook, which lets in whoever has it"],
];

describe("a visible value that looks like a secret is refused, and not shown:", () => {
  test.each(SECRETS)("%j", (value, looks) => {
    expect(visible({ setting: value })).toThrow(`has the key "setting", whose value looks like ${looks}.`);
    expect(visible({ setting: value })).not.toThrow(/hunter2|MIIE|0123456789|a1a1a1/);
    expect(visible({ setting: value }, "setting")).not.toThrow();
  });
});

describe("one that does not is taken:", () => {
  test.each([
    ...[
      "db.example.com",
      "https://vault.example.com:8200",
      "http://db:8080/path@version",
      "postgres://app@db/orders",
    ],
    ...[
      "postgresql://{{username}}:{{password}}@db/orders",
      "postgres://app:<password>@db/orders",
      "https://a:***@db",
    ],
    ...[
      "host=db user=app",
      "password=$PGPASSWORD",
      "token_ttl=1h",
      '{"host":"db","port":5432,"passwordPolicy":"long"}',
    ],
    ...[
      "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
      "-----BEGIN PUBLIC KEY-----",
      "ops@example.com",
    ],
    ...[
      "Basic",
      "Bearer",
      "a note: the token is elsewhere",
      "ghp_",
      "AKIA",
      "{not json",
      "SGVsbG8sIHdvcmxkIQ==",
    ],
    ...[
      "https://example.com/login?next=token",
      '{"password":""}',
      '{"password":"{{password}}"}',
      "2006-01-02T15:04:05Z",
      "the password 'of the day' is at the porter's",
      "user: 'app', host: 'db'",
      "<name>orders</name>",
    ],
  ])("%s", (setting) => expect(visible({ setting })).not.toThrow());
});

test("notSecret names keys that are there", () => {
  expect(visible({ host: "db" }, "hots")).toThrow(/has no key "hots", which notSecret lists/);
  expect(visible({ password: "x", token: "y" }, "token")).toThrow(/has the key "password"/);
});

test("values beside credentials in an agent's file are looked at in the same way", () => {
  const values = { PGHOST: "db", ADMIN_PASSWORD: "hunter2" };
  const notSecret = ["ADMIN_PASSWORD"];
  for (const make of ["env", "json"] as const) {
    expect(() => CredentialsTemplate[make]({ values })).toThrow(/"ADMIN_PASSWORD", which names a secret/);
    expect(() => CredentialsTemplate[make]({ values, notSecret })).not.toThrow();
  }
});
