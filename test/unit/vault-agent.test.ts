import { App, TerraformVariable, Testing, type TerraformStack } from "cdktf";
import { EctoAgentStack } from "../../examples/ecto-agent/ecto-agent-stack";
import {
  AppRole,
  AppRoleAuth,
  CredentialsTemplate,
  Duration,
  OnChange,
  VaultAgentConfiguration,
  type CredentialsFile,
  type VaultAgentConfigurationProps,
} from "../../lib";
import { one, synthesize, synthesizeStack } from "./synthesis";

type Changes = Partial<VaultAgentConfigurationProps> & { readonly file?: Partial<CredentialsFile> };

const source = { credsPath: "orders-dev/database/creds/reader" };

function configure(scope: TerraformStack, { file, ...changes }: Changes = {}): VaultAgentConfiguration {
  const auth = AppRoleAuth.fromPath(scope, "AppRoles", "orders-dev/approle");
  return new VaultAgentConfiguration(scope, "Agent", {
    address: "https://vault.example.com:8200",
    appRole: AppRole.fromName(scope, "AppRole", { auth, name: "orders" }),
    roleIdFile: "/etc/orders/role-id",
    secretIdFile: "/etc/orders/secret-id",
    files: [{ source, path: "/run/orders/credentials.json", ...file }],
    ...changes,
  });
}

function textOf(changes?: Changes): string {
  let text = "";
  synthesize((scope) => (text = configure(scope, changes).text));
  return text;
}

interface Parsed {
  vault: Record<string, unknown>[];
  auto_auth: { method: { config: Record<string, unknown>[]; [name: string]: unknown }[] }[];
  template: { contents: string; perms: string; exec?: unknown }[];
}
const parsed = (changes?: Changes) => JSON.parse(textOf(changes)) as Parsed;
const contents = (template: CredentialsTemplate) => parsed({ file: { template } }).template[0]?.contents;

describe("VaultAgentConfiguration", () => {
  test("minimal definition: logs in by AppRole, keeps the token, writes JSON for its owner alone", () => {
    expect(textOf()).toMatchInlineSnapshot(`
      "{
        "vault": [
          {
            "address": "https://vault.example.com:8200"
          }
        ],
        "auto_auth": [
          {
            "method": [
              {
                "type": "approle",
                "mount_path": "auth/orders-dev/approle",
                "min_backoff": "5m",
                "max_backoff": "30m",
                "config": [
                  {
                    "role_id_file_path": "/etc/orders/role-id",
                    "secret_id_file_path": "/etc/orders/secret-id",
                    "remove_secret_id_file_after_reading": true
                  }
                ]
              }
            ]
          }
        ],
        "template_config": [
          {
            "exit_on_retry_failure": false
          }
        ],
        "template": [
          {
            "contents": "{{ with secret \\"orders-dev/database/creds/reader\\" }}{\\n  \\"username\\": {{ .Data.username | toJSON }},\\n  \\"password\\": {{ .Data.password | toJSON }}\\n}\\n{{ end }}",
            "destination": "/run/orders/credentials.json",
            "perms": "0600",
            "create_dest_dirs": false,
            "error_on_missing_key": true
          }
        ]
      }
      "
    `);
  });

  test("has every setting", () => {
    expect(
      textOf({
        caCertFile: "/etc/ssl/vault.pem",
        namespace: "team",
        secretIdWrapped: true,
        exitOnRetryFailure: true,
        file: {
          permissions: "0640",
          template: CredentialsTemplate.text(
            "postgres://{{ .Data.username }}:{{ .Data.password }}@db/orders\n",
          ),
          onChange: OnChange.command(["/usr/bin/systemctl", "reload", "orders"], {
            timeout: Duration.minutes(1),
          }),
        },
      }),
    ).toMatchInlineSnapshot(`
      "{
        "vault": [
          {
            "address": "https://vault.example.com:8200",
            "ca_cert": "/etc/ssl/vault.pem",
            "namespace": "team",
            "retry": [
              {
                "num_retries": 1
              }
            ]
          }
        ],
        "auto_auth": [
          {
            "method": [
              {
                "type": "approle",
                "mount_path": "auth/orders-dev/approle",
                "namespace": "team",
                "min_backoff": "5m",
                "max_backoff": "30m",
                "config": [
                  {
                    "role_id_file_path": "/etc/orders/role-id",
                    "secret_id_file_path": "/etc/orders/secret-id",
                    "remove_secret_id_file_after_reading": true,
                    "secret_id_response_wrapping_path": "auth/orders-dev/approle/role/orders/secret-id"
                  }
                ]
              }
            ]
          }
        ],
        "template_config": [
          {
            "exit_on_retry_failure": true
          }
        ],
        "template": [
          {
            "contents": "{{ with secret \\"orders-dev/database/creds/reader\\" }}postgres://{{ .Data.username }}:{{ .Data.password }}@db/orders\\n{{ end }}",
            "destination": "/run/orders/credentials.json",
            "perms": "0640",
            "create_dest_dirs": false,
            "error_on_missing_key": true,
            "exec": [
              {
                "command": [
                  "/bin/sh",
                  "-c",
                  "\\"$@\\" || echo \\"exit code $? of $1\\" >&2",
                  "on-change",
                  "/usr/bin/systemctl",
                  "reload",
                  "orders"
                ],
                "timeout": "1m"
              }
            ]
          }
        ]
      }
      "
    `);
  });

  test("waits after a failed login so long that it never has the RoleID locked by the servers' default", () => {
    const method = parsed().auto_auth[0]?.method[0];
    const [first, longest] = [method?.min_backoff, method?.max_backoff].map((text) =>
      Number(/^(\d+)m$/.exec(String(text))?.[1]),
    );
    if (first === undefined || longest === undefined) throw new Error("not reached");
    // As both agents reckon: twice the wait before, up to the longest, less a quarter at most.
    const waits = [first];
    while (waits.length < 20) waits.push(0.75 * Math.min(2 * (waits.at(-1) ?? 0), longest));
    // Failures count on while each is within 15 minutes of the one before; the fifth of them locks.
    let count = 1;
    for (const wait of waits) {
      count = wait > 15 ? 1 : count + 1;
      expect(count).toBeLessThan(5);
    }
    expect(longest).toBeGreaterThan(first);
  });

  test("ends when a login fails, or waits otherwise, if told to", () => {
    const min = Duration.minutes(4);
    const told = parsed({ exitOnLoginFailure: true, loginBackoff: { min, max: Duration.minutes(20) } });
    expect(told.auto_auth[0]?.method[0]).toMatchObject({
      ...{ exit_on_err: true, min_backoff: "4m", max_backoff: "20m" },
    });
    const ending = parsed({ exitOnLoginFailure: true }).auto_auth[0]?.method[0];
    expect(ending).toHaveProperty("exit_on_err", true);
    // Its waits between readings are the agent's own then, a quarter of a second at first.
    expect(ending).not.toHaveProperty("min_backoff");
    expect(parsed({ exitOnLoginFailure: false }).auto_auth[0]?.method[0]).not.toHaveProperty("exit_on_err");
    for (const max of [min, Duration.minutes(3)]) {
      expect(() => parsed({ loginBackoff: { min, max } })).toThrow(/a max that is longer/);
    }
    expect(() => parsed({ loginBackoff: { min: Duration.seconds(0), max: min } })).toThrow(/wait from 0s/);
  });

  test.each<[string, Changes, number | undefined]>([
    ["by default", {}, 1],
    ["with shorter waits", { loginBackoff: { min: Duration.minutes(1), max: Duration.minutes(2) } }, 3],
    ["with short waits", { loginBackoff: { min: Duration.seconds(1), max: Duration.seconds(2) } }, 12],
    ["with the agent's own waits", { exitOnLoginFailure: true }, undefined],
  ])("fails to read for five minutes before it ends: %s", (_, changes, retries) => {
    const retry = retries === undefined ? undefined : [{ num_retries: retries }];
    expect(parsed({ ...changes, exitOnRetryFailure: true }).vault[0]?.retry).toEqual(retry);
    // Without, it tries for ever.
    expect(parsed(changes).vault[0]).not.toHaveProperty("retry");
  });

  test("keeps the file of a SecretID if told to", () => {
    expect(parsed({ removeSecretId: false }).auto_auth[0]?.method[0]?.config[0]).toMatchObject({
      remove_secret_id_file_after_reading: false,
    });
  });

  test("is the same text each time", () => {
    expect(textOf()).toBe(textOf());
  });

  test("hands its text to a Terraform output, with what only Terraform knows", () => {
    const stack = synthesize((scope) => {
      const variable = (id: string) => new TerraformVariable(scope, id, { type: "string" }).stringValue;
      configure(scope, {
        address: variable("address"),
        caCertFile: variable("ca"),
        namespace: variable("namespace"),
        roleIdFile: variable("folder"),
        outputName: "agent",
        file: {
          source: { credsPath: `${variable("engine")}/creds/reader` },
          path: variable("path"),
          permissions: variable("permissions"),
          template: CredentialsTemplate.json({ values: { host: variable("host") } }),
        },
      });
    });
    const { value } = stack.output.agent ?? {};
    for (const id of ["address", "ca", "namespace", "folder", "engine", "path", "permissions", "host"]) {
      expect(value).toContain(`\${var.${id}}`);
    }
    expect(JSON.parse(String(value))).toHaveProperty("vault.0.address", "${var.address}");
  });

  test.each<[string, Changes, RegExp]>([
    ["no files", { files: [] }, /has no files to write/],
    ["an address without a scheme", { address: "vault.example.com:8200" }, /Use http or https/],
    ["an address with a path", { address: "https://vault.example.com/v1" }, /Use http or https/],
    ["an address with a login", { address: "https://me:hunter2@vault.example.com" }, /Use http or https/],
    ["a relative RoleID file", { roleIdFile: "role-id" }, /RoleID file "role-id" is not an absolute path/],
    ["a relative SecretID file", { secretIdFile: "./s" }, /SecretID file ".\/s" is not an absolute path/],
    [
      "a relative CA certificate",
      { caCertFile: "ca.pem" },
      /CA certificate "ca.pem" is not an absolute path/,
    ],
    ["a relative file", { file: { path: "credentials.json" } }, /is not an absolute path/],
    ["a path that climbs", { file: { path: "/run/../etc/x" } }, /is not an absolute path/],
    ["a folder", { file: { path: "/run/orders/" } }, /is not an absolute path/],
    ["a template in a path", { file: { path: "/run/{{ env `X` }}" } }, /the agent reads as a template/],
    ["Terraform's template in a path", { file: { path: "/run/%{x}" } }, /Terraform reads as a template/],
    ["a control character", { file: { path: "/run/a\nb" } }, /holds a control character/],
    ["a control character in the namespace", { namespace: "a\u0000" }, /holds a control character/],
    ["a file for everybody", { file: { permissions: "0644" } }, /nobody else may/],
    ["a file that can be run", { file: { permissions: "0700" } }, /nobody else may/],
    ["a file that a group may write", { file: { permissions: "0660" } }, /nobody else may/],
    ["permissions of three digits", { file: { permissions: "600" } }, /nobody else may/],
    ["the SecretID's file as the credentials'", { file: { path: "/etc/orders/secret-id" } }, /there twice/],
    ["a path of no role", { file: { source: { credsPath: 'a" }}' } } }, /the agent reads as a template/],
    ["a path with a quote", { file: { source: { credsPath: 'a"b' } } }, /credsPath of a role/],
    ["a wrapped SecretID kept", { secretIdWrapped: true, removeSecretId: false }, /good for one use/],
  ])("refuses %s", (_, changes, message) => {
    expect(() => textOf(changes)).toThrow(message);
  });

  test("refuses an address with a password without showing it", () => {
    expect(() => textOf({ address: "https://me:hunter2@vault.example.com" })).not.toThrow(/hunter2/);
  });
});

describe("CredentialsTemplate", () => {
  test("of an environment file quotes what a shell would take for its own", () => {
    expect(contents(CredentialsTemplate.env({ values: { PGHOST: "it's", PGPORT: 5432 } }))).toBe(
      [
        `{{ with secret "orders-dev/database/creds/reader" }}PGHOST='it'\\''s'`,
        `PGPORT='5432'`,
        `PGUSER='{{ .Data.username | replaceAll "'" "'\\\\''" }}'`,
        `PGPASSWORD='{{ .Data.password | replaceAll "'" "'\\\\''" }}'`,
        `{{ end }}`,
      ].join("\n"),
    );
  });

  test("of JSON quotes as JSON does", () => {
    const values = { host: 'a"b', port: 5432 };
    expect(contents(CredentialsTemplate.json({ usernameField: "user", values }))).toBe(
      `{{ with secret "orders-dev/database/creds/reader" }}{\n  "host": "a\\"b",\n  "port": 5432,\n` +
        `  "user": {{ .Data.username | toJSON }},\n  "password": {{ .Data.password | toJSON }}\n}\n{{ end }}`,
    );
  });

  test.each<[string, () => CredentialsTemplate, RegExp]>([
    ["an empty text", () => CredentialsTemplate.text(" \n"), /The template is empty/],
    [
      "a text without credentials",
      () => CredentialsTemplate.text("user = app"),
      /does not use the credentials/,
    ],
    [
      "Terraform's template",
      () => CredentialsTemplate.text("${x}{{ .Data.password }}"),
      /Write {{ "\$" }}{ instead/,
    ],
    [
      "a control character",
      () => CredentialsTemplate.text("\u001b{{ .Data.password }}"),
      /control character/,
    ],
    ["no variable", () => CredentialsTemplate.env({ usernameVariable: "A-B" }), /with no digit first/],
    ["a variable twice", () => CredentialsTemplate.env({ values: { PGUSER: "app" } }), /there twice/],
    ["a line feed in a value", () => CredentialsTemplate.env({ values: { A: "a\nb" } }), /control character/],
    [
      "a template in a value",
      () => CredentialsTemplate.json({ values: { a: "{{ x }}" } }),
      /reads as a template/,
    ],
    ["a number that is none", () => CredentialsTemplate.json({ values: { a: NaN } }), /finite number/],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe("OnChange", () => {
  const execOf = (onChange: OnChange) => parsed({ file: { onChange } }).template[0]?.exec;

  test("sends a signal to the process of a file", () => {
    expect(execOf(OnChange.signal("SIGHUP", "/run/orders.pid"))).toEqual([
      {
        command: [
          "/bin/sh",
          "-c",
          'kill -s HUP "$(cat "$1")" 2>/dev/null || :',
          "on-change",
          "/run/orders.pid",
        ],
        timeout: "30s",
      },
    ]);
  });

  test.each<[string, () => OnChange, RegExp]>([
    ["no program", () => OnChange.command([]), /program to run on a change "" is not an absolute path/],
    [
      "a program by its name",
      () => OnChange.command(["systemctl", "reload", "a"]),
      /is not an absolute path/,
    ],
    ["a template in an argument", () => OnChange.command(["/bin/a", "{{ x }}"]), /reads as a template/],
    ["a signal that ends", () => OnChange.signal("SIGKILL" as "SIGHUP", "/run/a.pid"), /Use one of SIGHUP/],
    ["a relative file", () => OnChange.signal("SIGHUP", "a.pid"), /is not an absolute path/],
    ["no time", () => OnChange.command(["/bin/a"], { timeout: Duration.seconds(0) }), /1 second or more/],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe("the example of Ecto and Vault Agent", () => {
  const stack = synthesizeStack(
    new EctoAgentStack(Testing.stubVersion(new App({ stackTraces: false })), "ecto-agent", {
      vaultAddress: "https://vault.example.com:8200",
      postgresHost: "db.example.com",
      folder: "/run/vault_ecto",
    }),
  );

  test("has the document's database, base role, connection and role", () => {
    expect(one(stack, "postgresql_database")).toMatchObject({ name: "my_database" });
    expect(one(stack, "postgresql_grant", { role: "public", object_type: "database" })).toMatchObject({
      database: "my_database",
      privileges: [],
    });
    expect(one(stack, "postgresql_role", { name: "base_role" })).toMatchObject({ login: false });
    expect(one(stack, "postgresql_grant", { role: "base_role" })).toMatchObject({
      database: "my_database",
      object_type: "database",
      privileges: ["CONNECT", "CREATE"],
    });
    expect(one(stack, "vault_mount")).toMatchObject({ path: "database", type: "database" });
    expect(one(stack, "vault_database_secret_backend_connection")).toMatchObject({
      name: "my_database",
      allowed_roles: ["vault_ecto"],
    });
    const role = one(stack, "vault_database_secret_backend_role");
    expect(role).toMatchObject({ name: "vault_ecto", db_name: "my_database", default_ttl: 60, max_ttl: 120 });
    expect(JSON.stringify(role.creation_statements)).toMatch(/VALID UNTIL .* IN ROLE \\"base_role\\"/);
    expect(JSON.stringify(role.revocation_statements)).toMatch(
      /THEN \$\$base_role\$\$[^]*REASSIGN OWNED BY %I TO %I/,
    );
  });

  test("has the document's policy and AppRole, and no other policy", () => {
    expect(one(stack, "vault_policy")).toMatchObject({
      name: "read_vault_ecto_creds",
      policy: 'path "database/creds/vault_ecto" {\n  capabilities = ["read"]\n}\n',
    });
    expect(one(stack, "vault_auth_backend")).toMatchObject({ path: "approle", type: "approle" });
    expect(one(stack, "vault_approle_auth_backend_role")).toMatchObject({
      role_name: "vault-agent",
      secret_id_ttl: 43_200 * 60,
      secret_id_num_uses: 99_999,
      token_ttl: 43_200 * 60,
      token_max_ttl: 43_200 * 60,
      token_num_uses: 9_999,
      token_policies: ["read_vault_ecto_creds"],
    });
  });
});
