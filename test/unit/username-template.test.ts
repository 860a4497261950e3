import { checkPostgresUsernameTemplate, checkShortUsernameTemplate } from "../../lib/vault/username-template";
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
    expect(readAction(".DisplayName | sha256")).toEqual({ raw: false, differs: false, length: 64 });
    expect(readAction("random 20 | sha256 | truncate 4")).toEqual({ raw: false, differs: true, length: 4 });
  });
});

test.each([
  "{{.RoleName}}",
  "{{unix_time}}",
  '{{timestamp "2006"}}',
  "{{.DisplayName | sha256}}",
  "random uuid",
])("%s alone gives the same name twice", (template) =>
  expect(postgres(template)).toThrow(/gives the same name twice/),
);
