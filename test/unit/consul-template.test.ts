import { App, Testing, type TerraformStack } from "cdktf";
import { DjangoStack } from "../../examples/django-consul-template/django-stack";
import { ConsulTemplateConfiguration, Duration, type ConsulTemplateConfigurationProps } from "../../lib";
import { one, synthesize, synthesizeStack } from "./synthesis";

const source = { credsPath: "orders-dev/database/creds/reader" };

function configure(scope: TerraformStack, changes: Partial<ConsulTemplateConfigurationProps> = {}) {
  return new ConsulTemplateConfiguration(scope, "ConsulTemplate", {
    address: "https://vault.example.com:8200",
    tokenFile: "/run/orders/token",
    files: [{ source, path: "/run/orders/credentials.json" }],
    ...changes,
  });
}

function textOf(changes?: Partial<ConsulTemplateConfigurationProps>): string {
  let text = "";
  synthesize((scope) => (text = configure(scope, changes).text));
  return text;
}

describe("ConsulTemplateConfiguration", () => {
  test("minimal definition: a token from a file, which is renewed, and JSON for its owner alone", () => {
    expect(textOf()).toMatchInlineSnapshot(`
      "{
        "vault": [
          {
            "address": "https://vault.example.com:8200",
            "vault_agent_token_file": "/run/orders/token",
            "unwrap_token": false,
            "renew_token": true,
            "retry": [
              {
                "attempts": 0,
                "backoff": "250ms",
                "max_backoff": "1m"
              }
            ]
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
    const text = textOf({
      caCertFile: "/etc/ssl/vault.pem",
      namespace: "team",
      tokenWrapped: true,
      renewToken: false,
      exitOnRetryFailure: true,
      exec: {
        command: ["/usr/bin/orders", "--serve all"],
        reloadSignal: "SIGHUP",
        killSignal: "SIGINT",
        killTimeout: Duration.minutes(1),
      },
    });
    expect(JSON.parse(text)).toMatchObject({
      vault: [
        {
          namespace: "team",
          ssl: [{ ca_cert: "/etc/ssl/vault.pem" }],
          unwrap_token: true,
          renew_token: false,
          retry: [{ attempts: 5 }],
        },
      ],
      exec: [
        {
          command: ["/usr/bin/orders", "--serve all"],
          reload_signal: "SIGHUP",
          kill_signal: "SIGINT",
          kill_timeout: "1m",
        },
      ],
    });
  });

  test("a program is ended by SIGTERM within 30 s and started again, unless told otherwise", () => {
    const { exec } = JSON.parse(textOf({ exec: { command: ["/usr/bin/orders"] } })) as { exec: unknown };
    expect(exec).toEqual([{ command: ["/usr/bin/orders"], kill_signal: "SIGTERM", kill_timeout: "30s" }]);
  });

  test("is an output if it has a name", () => {
    const { output } = synthesize((scope) => configure(scope, { outputName: "configuration" }));
    expect(Object.keys(output ?? {})).toEqual(["configuration"]);
  });

  test.each<[string, Partial<ConsulTemplateConfigurationProps>, string]>([
    ["a relative token file", { tokenFile: "token" }, 'The token file "token" is not an absolute path.'],
    ["no files", { files: [] }, "The configuration of consul-template has no files to write."],
    [
      "the token's file for credentials",
      { files: [{ source, path: "/run/orders/token" }] },
      'The path "/run/orders/token" is there twice.',
    ],
    ["an address with a login", { address: "https://a:b@vault" }, "with a login is not usable."],
    ["a namespace that is a template", { namespace: "{{ env }}" }, "which the agent reads as a template"],
    [
      "a relative program",
      { exec: { command: ["orders"] } },
      'The program to run "orders" is not an absolute path.',
    ],
    [
      "what a shell would take apart",
      { exec: { command: ["/opt/my orders"] } },
      "has a blank in its path and no arguments.",
    ],
    [
      "no time to end",
      { exec: { command: ["/usr/bin/orders"], killTimeout: Duration.seconds(0) } },
      "has a killTimeout of 0.",
    ],
    [
      "a signal that none handles",
      { exec: { command: ["/usr/bin/orders"], reloadSignal: "SIGKILL" as "SIGHUP" } },
      'The signal "SIGKILL" is not usable.',
    ],
  ])("refuses %s", (_what, changes, message) => {
    expect(() => textOf(changes)).toThrow(message);
  });
});

describe("the example of Django and consul-template", () => {
  const stack = synthesizeStack(
    new DjangoStack(Testing.stubVersion(new App({ stackTraces: false })), "django-consul-template", {
      vaultAddress: "https://vault.example.com:8200",
      postgresHost: "db.example.com",
      folder: "/srv/django",
      tokenFile: "/run/consul-template/token",
    }),
  );

  test("has the document's connection, and role of superusers with its own revocation", () => {
    expect(one(stack, "vault_database_secret_backend_connection")).toMatchObject({
      name: "testdb",
      allowed_roles: ["admin"],
    });
    expect(one(stack, "vault_database_secret_backend_role")).toMatchObject({
      name: "admin",
      db_name: "testdb",
      default_ttl: 300,
      max_ttl: 600,
      creation_statements: [expect.stringContaining("WITH SUPERUSER LOGIN")],
      revocation_statements: expect.arrayContaining([
        "SELECT public.revoke_access('{{name}}');",
        `DROP USER IF EXISTS "{{name}}";`,
      ]) as unknown,
    });
  });

  test("has the document's AppRole", () => {
    expect(one(stack, "vault_approle_auth_backend_role")).toMatchObject({
      role_name: "testrole",
      secret_id_ttl: 600,
      token_num_uses: 10,
      token_ttl: 1200,
      token_max_ttl: 1800,
      secret_id_num_uses: 40,
    });
  });
});
