import { ConfigurationError, show } from "./errors";
import { isUnresolved, withStandIns } from "./tokens";

/** Ends of words that name a secret: `PGPASSWORD`, `tokens`. */
const SECRET_WORD =
  /(password|passwd|passphrase|passcode|passkey|psw|pswd|secret|token|credential|apikey|priv(ate)?key|secretkey|accesskey|signingkey|masterkey|sshkey|authkey|connectionstring|connstr)s?$/;
/** Whole words that do. */
const SECRET_WORDS = words(
  "pass pwd pw passw pgpass dbpass dbpwd userpass rootpass adminpass smtppass bindpw rootpw",
  "dsn jwt bearer authorization otp totp hotp pin mnemonic keytab creds cred pat pats psk sas",
);
/** Last words that do; before another, as in `cookie_domain`, they are about something else. */
const LAST_WORDS = words(
  "webhook webhooks cookie cookies salt pepper jwk kek dek keystore pfx jks",
  "kubeconfig dockerconfig dockerconfigjson dockercfg netrc npmrc pypirc",
);
/** Kinds of key that are kept secret, before the word `key`. Not: public, primary, foreign, sort, partition, routing, cache. */
const SECRET_KEYS = words(
  "api private priv pvt secret access signing signature encryption encrypt decryption decrypt cipher crypto aes unseal",
  "recovery client master hmac ssh tls ssl cert certificate rsa dsa ecdsa ed gpg pgp wg wireguard preshared shared",
  "license account session service subscription auth root admin host deploy storage app bot",
);
/** Last words of names that hold a secret if a certain word is before them. */
const PAIRS: Readonly<Record<string, RegExp>> = {
  string: /^conn(ection)?$/,
  str: /^conn(ection)?$/,
  id: /^secret$/,
  ids: /^secret$/,
  auth: /^basic$/,
  phrase: /^(pass|seed|recovery|secret)$/,
  code: /^(access|recovery|backup|security)$/,
  codes: /^(access|recovery|backup|security)$/,
  private: /^keys?$/,
};
/** What has a URL with a login in it, before the word `url`. */
const SERVERS = words(
  "db database pg postgres postgresql mysql mariadb mssql sqlserver mongo mongodb redis valkey amqp rabbitmq jdbc",
  "sqlalchemy clickhouse cockroach elasticsearch couchdb smtp imap ftp sftp ldap broker celery connection cloudinary",
);
/** Last words of names that say something about a secret, and hold none. */
const ABOUT =
  /^(path|file|folder|dir|directory|policy|name|ttl|length|size|version|type|kind|algorithm|expiry|expires|expiration|lifetime|rotation|period|interval|url|uri|endpoint|host|port|enabled|required|header|prefix|role|mount|engine|field|variable|env|ref|reference|id|count|limit|issuer|audience|provider|store|manager|method|mode|min|max|days|hours|minutes|seconds|format|encoding)s?$/;

function words(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")));
}

/** `dbPassword`, `DB_PASSWORD` and `db-password` as words in lower case. */
function wordsOf(name: string): string[] {
  return (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []).map((word) => word.toLowerCase());
}

/** `databaseUrl`, `DBURL`, also of several: `DATABASE_URL_RO`. */
function namesServer(name: readonly string[]): boolean {
  const at = name.findIndex((word, index) => {
    const [, server, address] = /^(.*?)(ur[il]|dsn)s?$/.exec(word) ?? [];
    if (address === undefined) return false;
    return SERVERS.has(server === "" ? (name[index - 1] ?? "") : (server ?? ""));
  });
  return at >= 0 && !name.slice(at + 1).some((word) => ABOUT.test(word));
}

/** Whether a name suggests that what it names is a secret. */
export function namesSecret(name: string): boolean {
  const all = wordsOf(name);
  const last = all.at(-1) ?? "";
  if (namesServer(all) || LAST_WORDS.has(last)) return true;
  if (Object.hasOwn(PAIRS, last) && PAIRS[last]?.test(all.at(-2) ?? "") === true) return true;
  if (all.length > 1 && ABOUT.test(last)) return false;
  return all.some(
    (word, index) =>
      SECRET_WORD.test(word) ||
      /(password|passwd|passphrase)/.test(word) ||
      SECRET_WORDS.has(word) ||
      (/^keys?$/.test(word) && SECRET_KEYS.has(all[index - 1] ?? "")),
  );
}

/** Texts that are secrets by their form, and what they are. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|PuTTY-User-Key-File|AGE-SECRET-KEY-1/, "a private key"],
  [/\beyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]*/, "a JSON Web Token"],
  [/\b(hv[sbr]\.[\w-]{10,}|[sb]\.[A-Za-z0-9]{24}\b)/, "a token of Vault"],
  [
    /\b(gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|npm_\w{30,}|pypi-[\w-]{16,}|dckr_pat_[\w-]{16,}|hf_\w{30,})/,
    "a token",
  ],
  [
    /\b(xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{10,}|(sk|rk)_(live|test)_\w{10,}|sk-[\w-]{20,}|shpat_\w{16,}|dop_v1_\w{16,})/,
    "a token",
  ],
  [
    /\b((AKIA|ASIA)[A-Z0-9]{16}\b|AIza[\w-]{30,}|ya29\.[\w-]{16,}|SG\.[\w-]{16,}\.[\w-]{16,})/,
    "a key of a cloud service",
  ],
  [/\bwhsec_\w{10,}/, "a token"],
  [
    /hooks\.slack\.com\/services\/\w|discord(app)?\.com\/api\/webhooks\/\w|\boffice\.com\/webhook\w*\/\w/,
    "a webhook, which lets in whoever has it",
  ],
  [/[?&](sig|signature)=[\w%+/=-]{8,}/, "a signed URL"],
  [/\bIDENTIFIED\s+(WITH\s+\S+\s+)?(BY|AS)\s+["']/i, "SQL with a password"],
  [/\blogin\s+\S+\s+password\s+\S/, "a file of logins"],
  [/(?<=^|\n)[ \t]*(bind|root)pw[ \t]+\S/, "a password"],
  [/\bSCRAM-SHA-256\$\d+:|\bmd5[0-9a-f]{32}\b|\$2[abxy]\$\d\d\$|\$argon2/, "a password's hash"],
  [/^\s*(Basic|Bearer)\s+[\w+/=.~-]{6,}\s*$/i, "a header to log in with"],
];

/** What stands where a secret will be: `{{password}}`, `<password>`, `$PGPASSWORD`, `***`. */
const PLACEHOLDER = /^("|'|)(\{\{.*\}\}|<.*>|\$\w+|\*+|\.{3}|…|%s)\1$/;

/** What a value shows itself to be; undefined where it looks like no secret. */
export function secretShown(value: string, depth = 0): string | undefined {
  const text = withStandIns(value);
  const form = FORMS.find(([pattern]) => pattern.test(text))?.[1];
  if (form !== undefined) return form;
  for (const [, , password = ""] of text.matchAll(/(:\/\/[^\s/?#@]*?:)(?!\d+(?:[/?#]|$))(\S+)@/g)) {
    if (!PLACEHOLDER.test(password)) return "a URL with a password";
  }
  if (/\S:(?!\{\{)\S+@(tcp6?|unix)?\(/.test(text)) return "a URL with a password";
  return secretWithin(text, depth);
}

const DEEPEST = 4;

/** In JSON, in lines and options such as `password=…`, and in base64 of all these. */
function secretWithin(text: string, depth: number): string | undefined {
  if (depth > DEEPEST) return undefined;
  const json = /^\s*[[{"]/.test(text) ? parsed(text) : undefined;
  if (json !== undefined) return secretInJson(json, depth);
  for (const [, option, line, assigned = ""] of [...text.matchAll(ASSIGNMENT), ...quoted(text)]) {
    const name = option ?? line ?? "";
    if (namesSecret(name) && !PLACEHOLDER.test(assigned)) return `a text that sets ${show(name)}`;
  }
  const inner = fromBase64(text.trim());
  if (inner === undefined) return undefined;
  // A port is no password, and an address no login.
  const isLogin = /^[\w.@+-]+:(?!\d+$|\/\/)\S+$/.test(inner);
  return secretShown(inner, depth + 1) ?? (isLogin ? "a login in base64" : undefined);
}

/** `name=value` anywhere, `name: value` on a line of its own. */
const ASSIGNMENT =
  /(?:([A-Za-z_][\w.-]*)\s*=\s*|(?<=^|\n)[ \t-]*(?:export\s+)?["']?([A-Za-z_][\w.-]*)["']?[ \t]*:[ \t]+)("[^"]+"|'[^']+'|[^\s;&,]+)/g;
/** `name 'value'`, `"name", "value"`, `<name>value</name>`, `key="name" value="value"`. */
const QUOTED =
  /([A-Za-z_][\w.-]*)(?:["']?[ \t]*,?[ \t]+(?:value[ \t]*=[ \t]*)?("[^"\s]+"|'[^'\s]+')|>([^<>\s]+)<\/)/g;

function quoted(text: string): (string | undefined)[][] {
  return [...text.matchAll(QUOTED)].map(([all, name, value, content]) => [all, name, name, value ?? content]);
}

function secretInJson(json: unknown, depth: number): string | undefined {
  if (typeof json === "string") return secretShown(json, depth + 1);
  if (typeof json !== "object" || json === null) return undefined;
  if ("kty" in json && ("d" in json || "k" in json)) return "a private key";
  for (const [name, value] of Object.entries(json)) {
    const inside = secretInJson(value, depth);
    if (inside !== undefined) return inside;
    const filled =
      (typeof value === "string" && value !== "" && !PLACEHOLDER.test(value)) || typeof value === "number";
    if (!Array.isArray(json) && filled && namesSecret(name)) return `a text that sets ${show(name)}`;
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fromBase64(text: string): string | undefined {
  if (text.length < 16 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  const inner = Buffer.from(text.replaceAll("-", "+").replaceAll("_", "/"), "base64").toString("utf8");
  return /^[\t\n\r -~]+$/.test(inner) ? inner : undefined;
}

/** Says that values look like secrets and are none. */
export interface NoSecrets {
  /**
   * Keys of values that look like secrets, by their name or by what they hold, and are none. Each of them is seen by
   * everybody who can read the synthesized file, the plan or the state.
   *
   * @default - none
   */
  readonly notSecret?: readonly string[];
}

/** Names that name a secret, with a value that shows that it is none: `max_tokens` with a number, `redis_url` without a login. */
function isHarmless(key: string, value: string | number): boolean {
  const all = wordsOf(key);
  if (typeof value === "number") {
    return (
      !isUnresolved(value) &&
      all.at(-1) === "tokens" &&
      /^(max|min|limit|num|number|count)$/.test(all[0] ?? "")
    );
  }
  if (isUnresolved(value) || !(/(ur[il])s?$/.test(all.at(-1) ?? "") || namesServer(all))) return false;
  // A login, also one with nothing but a user, or options, may be more than an address.
  return (
    /^(jdbc:)?[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9.,:_[\]-]+(\/[A-Za-z0-9._/-]*)?$/.test(value) ||
    /^[A-Za-z0-9._-]+:\d{2,5}(,[A-Za-z0-9._-]+:\d{2,5})*$/.test(value)
  );
}

/**
 * Checks that values are no secrets, as far as their names and they themselves tell.
 *
 * @param what they are, for the message, such as `visible key-value content`
 * @param remedy what to do with a secret
 * @throws ConfigurationError for one that looks like a secret and is not listed as none; it shows no value
 */
export function checkNoSecrets(
  what: string,
  values: Readonly<Record<string, string | number | boolean>>,
  remedy: string,
  { notSecret = [] }: NoSecrets,
): void {
  const unknown = notSecret.find((key) => !Object.hasOwn(values, key));
  if (unknown !== undefined) {
    throw new ConfigurationError(
      `The ${what} has no key ${show(unknown)}, which notSecret lists.`,
      "List keys that are there, spelt as they are.",
    );
  }
  const aloud = "or, if it is no secret, list the key in notSecret.";
  for (const [key, value] of Object.entries(values)) {
    if (notSecret.includes(key)) continue;
    // Yes or no is no secret, whatever it is about.
    if (typeof value === "boolean") continue;
    const shown = typeof value === "string" ? secretShown(value) : undefined;
    if (shown === undefined && (!namesSecret(key) || isHarmless(key, value))) continue;
    throw new ConfigurationError(
      `The ${what} has the key ${show(key)}, ${shown === undefined ? "which names a secret" : `whose value looks like ${shown}`}.`,
      `Its value would stand in the synthesized file, in the plan and in the state; ${remedy}, ${aloud}`,
    );
  }
}
