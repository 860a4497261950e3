import { ConfigurationError, show } from "../errors";
import { isUnresolved, numberText, withStandIns } from "../tokens";
import { knownAtSynthesis } from "../known-at-synthesis";
import { checkNoSecrets, type NoSecrets } from "../secret-looking";
import { plainText } from "./plain-text";

/** Anything that credentials with a `username` and a `password` are read from, such as a role. */
export interface CredentialSource {
  /** API path, such as `database/creds/reader`. */
  readonly credsPath: string;
}

/** Settings that stand beside the credentials and are no secret, by name: host, port, database. */
export type FixedValues = Readonly<Record<string, string | number>>;

/** Names for `CredentialsTemplate.env`. */
export interface EnvTemplateOptions extends NoSecrets {
  /** Variable for the user name. @default "PGUSER" */
  readonly usernameVariable?: string;
  /** Variable for the password. @default "PGPASSWORD" */
  readonly passwordVariable?: string;
  /** More variables, such as `{ PGHOST: "db.example.com", PGDATABASE: "orders" }`. @default - none */
  readonly values?: FixedValues;
}

/** Names for `CredentialsTemplate.json`. */
export interface JsonTemplateOptions extends NoSecrets {
  /** Field for the user name. @default "username" */
  readonly usernameField?: string;
  /** Field for the password. @default "password" */
  readonly passwordField?: string;
  /** More fields, such as `{ host: "db.example.com", port: 5432 }`. @default - none */
  readonly values?: FixedValues;
}

const REMEDY = "keep it in Vault";
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
// A quote inside single quotes: end them, a quote, begin them again; as a shell and systemd read it.
const SHELL_QUOTED = `replaceAll "'" "'\\\\''"`;

/** What a rendered file holds, in the template language that Vault Agent, OpenBao's agent and consul-template share. */
export class CredentialsTemplate {
  /**
   * Lines of `NAME='value'`, as a shell, `EnvironmentFile=` of systemd and dotenv read them; the default names are those of
   * libpq.
   *
   * @throws ConfigurationError for a name that is no variable's, or is there twice
   */
  static env(options: EnvTemplateOptions = {}): CredentialsTemplate {
    const { usernameVariable = "PGUSER", passwordVariable = "PGPASSWORD", values = {} } = options;
    checkNames("variable", [...Object.keys(values), usernameVariable, passwordVariable]);
    checkNoSecrets("values beside credentials", values, REMEDY, options);
    const fixed = Object.entries(values).map(
      ([name, value]) => `${name}='${fixedText(name, value).replaceAll("'", "'\\''")}'`,
    );
    return new CredentialsTemplate(
      [
        ...fixed,
        `${usernameVariable}='{{ .Data.username | ${SHELL_QUOTED} }}'`,
        `${passwordVariable}='{{ .Data.password | ${SHELL_QUOTED} }}'`,
        "",
      ].join("\n"),
    );
  }

  /**
   * One JSON object with the credentials and the fixed values.
   *
   * @throws ConfigurationError for a field that is there twice, or whose name is not one of letters, digits and `_`
   */
  static json(options: JsonTemplateOptions = {}): CredentialsTemplate {
    const { usernameField = "username", passwordField = "password", values = {} } = options;
    checkNames("field", [...Object.keys(values), usernameField, passwordField]);
    checkNoSecrets("values beside credentials", values, REMEDY, options);
    const fields = Object.entries(values).map(([name, value]) => {
      const text = fixedText(name, value);
      return `  "${name}": ${typeof value === "number" ? text : JSON.stringify(text)}`;
    });
    fields.push(`  "${usernameField}": {{ .Data.username | toJSON }}`);
    fields.push(`  "${passwordField}": {{ .Data.password | toJSON }}`);
    return new CredentialsTemplate(`{\n${fields.join(",\n")}\n}\n`);
  }

  /**
   * A text of your own, in which `{{ .Data.username }}` and `{{ .Data.password }}` stand for the credentials. Quote them as
   * the file's format asks for: `{{ .Data.password | toJSON }}`.
   *
   * @throws ConfigurationError if it is empty, uses neither, or holds what Terraform reads as a template of its own
   */
  static text(template: string): CredentialsTemplate {
    if (template.trim() === "") {
      throw new ConfigurationError(
        "The template is empty.",
        "Write the file's text with {{ .Data.username }} and {{ .Data.password }} where the credentials go.",
      );
    }
    // A token may be what uses them.
    if (!isUnresolved(template) && !/\{\{[^}]*\.Data\b/.test(template)) {
      throw new ConfigurationError(
        `The template ${show(template)} does not use the credentials.`,
        "Write {{ .Data.username }} and {{ .Data.password }} where they go.",
      );
    }
    if (/[{$%]$/.test(template)) {
      throw new ConfigurationError(
        `The template ${show(template)} ends in "{", "$" or "%", which would be read with the "{{" that follows.`,
        'End it with a line feed, or write {{ "…" }} around the last character.',
      );
    }
    return new CredentialsTemplate(plainText("template", template, { lines: true, delimiters: true }));
  }

  private constructor(private readonly body: string) {}

  /** The template that reads these credentials, to the end of the file. */
  textFor(source: CredentialSource): string {
    const path = plainText("path of the credentials", source.credsPath);
    if (/["\\`\s]/.test(withStandIns(path))) {
      throw new ConfigurationError(
        `The path of the credentials ${show(path)} is not usable.`,
        'Use the credsPath of a role, such as "database/creds/reader".',
      );
    }
    return `{{ with secret "${path}" }}${this.body}{{ end }}`;
  }
}

function fixedText(name: string, value: string | number): string {
  if (typeof value === "string") return plainText(`value of ${name}`, value);
  if (!isUnresolved(value) && !Number.isFinite(value)) {
    throw new ConfigurationError(`The value of ${name} is ${show(value)}.`, "Use a finite number or a text.");
  }
  return numberText(value);
}

function checkNames(what: "variable" | "field", names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    knownAtSynthesis(`name of a ${what}`, name);
    if (!VARIABLE.test(name)) {
      throw new ConfigurationError(
        `The ${what} name ${show(name)} is not usable.`,
        'Use letters, digits and "_", with no digit first.',
      );
    }
    if (names.indexOf(name) !== index) {
      throw new ConfigurationError(
        `The ${what} ${show(name)} is there twice.`,
        `Give each ${what} a name of its own.`,
      );
    }
  }
}
