import { App, TerraformStack, Testing } from "cdktf";
import type { Construct } from "constructs";
import {
  DatabaseSecretsEngine,
  ManagerRole,
  MysqlAccess,
  PostgresDatabase,
  WriteOnlySecret,
} from "../../lib";
import { checkPostgresUsernameTemplate, checkShortUsernameTemplate } from "../../lib/vault/username-template";
import { lengthOf, worthOf } from "../../lib/vault/name-parts";
import { readAction } from "../../lib/vault/template-action";

const postgres = (template: string) => () => checkPostgresUsernameTemplate(template);

describe("a username template with the display name as it is, in whatever way, is refused:", () => {
  test.each([
    "{{.DisplayName}}-{{random 20}}",
    "{{ .DisplayName }}-{{random 20}}",
    "{{.DisplayName | truncate 8}}-{{random 20}}",
    "{{.DisplayName | lowercase | uppercase}}-{{random 20}}",
    "{{.DisplayName | truncate_sha256 20}}-{{random 20}}",
    '{{.DisplayName | replace "-" "_"}}-{{random 20}}',
    '{{replace "-" "_" .DisplayName}}-{{random 20}}',
    "{{truncate 8 .DisplayName}}-{{random 20}}",
    "{{(.DisplayName)}}-{{random 20}}",
    '{{printf "%s" .DisplayName}}-{{random 20}}',
    '{{printf "v-%s-%s-%s" (.DisplayName | truncate 8) (.RoleName | truncate 8) (random 20)}}',
    '{{printf "%s-%s" (.DisplayName | sha256) .DisplayName | truncate 63}}-{{random 20}}',
  ])("%s", (template) => {
    expect(postgres(template)).toThrow(/puts the display name into SQL as it is.*sha256/s);
    expect(() => checkShortUsernameTemplate(template, 80)).toThrow(/display name/);
  });
});

describe("a username template with more of Go's language than is known to be harmless is refused:", () => {
  test.each([
    "{{$x := .DisplayName}}{{$x}}-{{random 20}}",
    "{{with .}}{{.DisplayName}}{{end}}-{{random 20}}",
    "{{.}}-{{random 20}}",
    "{{range .}}x{{end}}-{{random 20}}",
    '{{index . "DisplayName"}}-{{random 20}}',
    '{{printf "%v" .}}-{{random 20}}',
    '{{printf "%q" .RoleName}}-{{random 20}}',
    '{{printf "%[1]s" .DisplayName}}-{{random 20}}',
    '{{printf "%s"}}-{{random 20}}',
    '{{printf "x" .RoleName}}-{{random 20}}',
    '{{print "x"}}-{{random 20}}',
    '{{define "x"}}{{.DisplayName}}{{end}}{{template "x" .}}-{{random 20}}',
    "{{if .DisplayName}}x{{end}}-{{random 20}}",
    "{{/* x */}}-{{random 20}}",
    "{{- .RoleName -}}-{{random 20}}",
    '{{"text"}}-{{random 20}}',
    "{{.DisplayName.Name}}-{{random 20}}",
    "{{.RoleName | .DisplayName}}-{{random 20}}",
    "{{.RoleName .DisplayName}}-{{random 20}}",
    "{{.DisplayName | base64}}-{{random 20}}",
    '{{decode_base64 "Jw=="}}-{{random 20}}',
    '{{decode_hex "27"}}-{{random 20}}',
    '{{"27" | decode_hex}}-{{random 20}}',
    '{{timestamp "%s"}}-{{random 20}}',
    "{{random}}",
    "{{random 20 20}}",
    "{{random -1}}",
    "{{truncate random 20}}",
    "{{}}-{{random 20}}",
    "{{constructor}}-{{random 20}}",
    "{{.RoleName | toString}}-{{random 20}}",
    "{{.RoleName | sha256 | }}-{{random 20}}",
    "{{(.RoleName}}-{{random 20}}",
  ])("%s", (template) => {
    expect(postgres(template)).toThrow(/not known to be harmless in SQL|quotes, "\$"/);
  });

  test("with the list of what is taken, each of which is", () => {
    expect(postgres("{{.}}{{uuid}}")).toThrow(
      /\{\{\.RoleName\}\}, \{\{random 20\}\}.*\{\{\.DisplayName \| sha256\}\}.*truncate 8/,
    );
  });
});

describe("a username template of harmless parts is taken:", () => {
  test.each([
    "v-5f0c1a-{{.RoleName | truncate 8}}-{{random 20}}-{{unix_time}}",
    "{{ .RoleName | truncate 8 }}-{{ random 20 }}",
    "{{uuid}}",
    "{{unix_time_millis}}",
    '{{timestamp "2006-01-02"}}-{{random 8}}',
    "{{.DisplayName | sha256 | truncate 8}}-{{random 20}}",
    "{{.DisplayName | truncate 8 | sha256}}-{{random 20}}",
    '{{replace "-" "_" .RoleName | lowercase}}-{{random 20}}',
    "{{truncate 8 (.RoleName | uppercase)}}-{{random 20}}",
    '{{printf "v-%s-%s-%s" (.DisplayName | sha256 | truncate 8) (.RoleName | truncate 8) (random 20) | truncate 63}}',
  ])("%s", (template) => expect(postgres(template)()).toBe(template));
});

describe("the length of a name is counted, for a server that refuses a long one:", () => {
  test.each([
    ["{{random 32}}", 32],
    ["{{.RoleName | truncate 11}}-{{random 20}}", 32],
    ["{{uuid | truncate 32}}", 32],
    ['{{printf "v-%s-%s" (.RoleName | truncate 8) (random 21)}}', 32],
  ])("%s is as long as may be", (template, longest) => {
    expect(checkShortUsernameTemplate(template, longest)).toBe(template);
    expect(() => checkShortUsernameTemplate(template, longest - 1)).toThrow(`names of ${longest} characters`);
  });

  test.each(["{{.RoleName}}-{{random 8}}", '{{printf "%s" .RoleName}}{{random 8}}'])(
    "%s is of any",
    (template) => {
      expect(() => checkShortUsernameTemplate(template, 80)).toThrow("names of any length");
    },
  );

  test("the display name is none", () => {
    const told = (inside: string) => {
      const { raw, parts = [] } = readAction(inside) ?? {};
      return { raw, worth: worthOf(parts), length: lengthOf(parts) };
    };
    expect(told(".DisplayName | sha256")).toEqual({ raw: false, worth: 0, length: 64 });
    expect(told("random 20 | sha256 | truncate 4")).toEqual({ raw: false, worth: 4, length: 4 });
  });
});

test.each([
  "{{.RoleName}}",
  "{{unix_time}}",
  '{{timestamp "2006"}}',
  "{{.DisplayName | sha256}}",
  "random uuid",
  "x-{{random 0}}",
  "x-{{random 20 | truncate 0}}",
  "{{unix_time_millis | truncate 10}}",
  '{{printf "%s-a-long-text-%s" (.RoleName) (random 20) | truncate 10}}',
])("%s alone gives the same name twice", (template) =>
  expect(postgres(template)).toThrow(/gives the same name twice/),
);

describe("the names of a role's users", () => {
  const named = (length: number) => "r".repeat(length);
  function warningsOf(build: (stack: TerraformStack) => Construct): string[] {
    const stack = new TerraformStack(Testing.stubVersion(new App({ stackTraces: false })), "stack");
    return build(stack).node.metadata.map(({ data }) => String(data));
  }
  const onPostgres = (usernameTemplate: string | undefined, role: string) =>
    warningsOf((stack) => {
      const password = WriteOnlySecret.fromVariable(stack, "password");
      return new DatabaseSecretsEngine(stack, "Secrets")
        .addPostgresConnection("shop", {
          database: PostgresDatabase.fromName(stack, "Database", "shop"),
          manager: new ManagerRole(stack, "Manager", { name: "manager", password }),
          endpoint: { host: "db" },
          usernameTemplate,
        })
        .addDynamicRole(role, {
          creationStatements: [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`],
        });
    });
  const onMysql = (usernameTemplate: string, role: string) =>
    warningsOf((stack) =>
      new DatabaseSecretsEngine(stack, "Secrets")
        .addMysqlConnection("shop", {
          ...{ server: "mariadb", endpoint: { host: "db" }, username: "manager", usernameTemplate },
          password: WriteOnlySecret.fromVariable(stack, "password"),
        })
        .addDynamicRole(role, { access: MysqlAccess.readOnly({ databases: ["shop"] }) }),
    );

  test.each([
    ["{{.RoleName}}-{{random 20}}", named(63)],
    ["{{.RoleName}}-{{random 20}}", named(62)],
    ['{{printf "%s-%s" (.RoleName) (random 20) | truncate 16}}', named(15)],
    ["{{.RoleName | truncate 50}}-{{unix_time}}-x-{{random 20}}", named(50)],
  ])("by %s are refused where PostgreSQL cuts them before they differ", (template, role) => {
    expect(() => onPostgres(template, role)).toThrow(
      /would have one name by the username template .* before what makes names differ\.\n.*truncate 8/,
    );
  });

  test("are refused, too, where a server cuts none, but the template does", () => {
    const template = '{{printf "%s-%s" (.RoleName) (random 20) | truncate 16}}';
    expect(onMysql(template, named(11))).toEqual([]);
    expect(() => onMysql(template, named(15))).toThrow(/would have one name/);
  });

  test.each([
    ["{{.RoleName}}-{{random 20}}", named(61), 1],
    ["{{.RoleName}}-{{random 20}}", named(59), 3],
    ["x-{{random 1}}", "r", 1],
    ["x-{{random 3 | sha256}}", "r", 3],
    ["{{unix_time_millis | truncate 11}}", "r", 2],
  ])("by %s are warned of where few differ", (template, role, characters) => {
    expect(onPostgres(template, role)).toEqual([
      expect.stringContaining(`differ in ${characters} character${characters === 1 ? "" : "s"} only`),
    ]);
  });

  test.each([
    [undefined, named(128)],
    ["{{.RoleName}}-{{random 20}}", named(58)],
    ["{{.RoleName | truncate 8}}-{{random 20}}", named(128)],
    ["{{.RoleName | truncate_sha256 30}}-{{random 20}}", named(128)],
    ['{{printf "%s-%s" (.RoleName) (random 20) | truncate_sha256 12}}', named(60)],
    ["x-{{random 4}}", "r"],
    ["{{unix_time_millis}}", "r"],
    ["{{uuid}}-{{.RoleName}}", named(128)],
    ['{{.RoleName | truncate 4 | replace "r" "rr"}}-{{random 20}}', named(60)],
  ])("by %s differ enough", (template, role) => {
    expect(onPostgres(template, role)).toEqual([]);
  });
});
