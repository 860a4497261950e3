import {
  App,
  LocalBackend,
  TerraformOutput,
  type TerraformResource,
  TerraformStack,
  TerraformVariable,
} from "cdktf";
import { Database } from "@cdktf/provider-postgresql/lib/database";
import { Grant } from "@cdktf/provider-postgresql/lib/grant";
import { GrantRole } from "@cdktf/provider-postgresql/lib/grant-role";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { Role } from "@cdktf/provider-postgresql/lib/role";
import { Schema } from "@cdktf/provider-postgresql/lib/schema";
import { ApproleAuthBackendRole } from "@cdktf/provider-vault/lib/approle-auth-backend-role";
import { AuthBackend } from "@cdktf/provider-vault/lib/auth-backend";
import { DatabaseSecretBackendConnection } from "@cdktf/provider-vault/lib/database-secret-backend-connection";
import { DatabaseSecretBackendRole } from "@cdktf/provider-vault/lib/database-secret-backend-role";
import { GenericEndpoint } from "@cdktf/provider-vault/lib/generic-endpoint";
import { Mount } from "@cdktf/provider-vault/lib/mount";
import { Policy } from "@cdktf/provider-vault/lib/policy";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
// Pure functions: SQL written by hand would be text here, too.
import { markingTerminated, membershipCreation, renewal, terminatingRevocation } from "../../lib/statements";
import { issuedNamePrefix, issuedNameTemplate } from "../../lib/vault/issued-names";
import { namesOf } from "./names";

/** What a role's own resource leaves to the one that writes it as a whole. */
const WRITTEN_WHOLE = [
  ...["creation_statements", "renew_statements", "revocation_statements", "rollback_statements"],
  ...["default_ttl", "max_ttl", "credential_type", "credential_config"],
];

/** The stack of `ours.ts` as it is written with the bindings of the providers alone: the same resources. */
class BareStack extends TerraformStack {
  constructor(scope: App, name: string, roles: readonly string[]) {
    super(scope, name);
    const prefix = `orders-${name}`;
    const database = `orders_${name}`;
    const mount = `${prefix}/database`;
    new LocalBackend(this, { path: `../../../terraform.${name}.tfstate` });
    new VaultProvider(this, "VaultProvider", { address: "https://vault.example.com:8200" });
    new PostgresqlProvider(this, "PostgresqlProvider", {
      host: "db.example.com",
      port: 5432,
      username: "terraform",
      sslmode: "verify-full",
      superuser: false,
    });
    const password = new TerraformVariable(this, "manager_password", {
      type: "string",
      sensitive: true,
      nullable: false,
      description:
        "First password of the login that the secrets engine uses; sent once, when the login is made",
    });
    password.addOverride("ephemeral", true);

    const bases = roles.map(
      (role) =>
        new Role(this, `base-${role}`, {
          name: `${database}_${role}`,
          login: false,
          skipReassignOwned: true,
        }),
    );
    const made = new Database(this, "database", {
      name: database,
      lifecycle: { ignoreChanges: ["template", "encoding", "lc_collate", "lc_ctype"], preventDestroy: true },
      dependsOn: bases,
    });
    let last: TerraformResource = made;
    const chain = <T extends TerraformResource>(resource: T): T => {
      last = resource;
      return resource;
    };
    const closed = { database, role: "public", privileges: [] };
    chain(new Grant(this, "public-database", { ...closed, objectType: "database", dependsOn: [last] }));
    chain(
      new Grant(this, "public-schema", {
        ...closed,
        objectType: "schema",
        schema: "public",
        dependsOn: [last],
      }),
    );
    chain(new Schema(this, "schema", { name: "app", database, dropCascade: false, dependsOn: [last] }));
    const manager = new Role(this, "manager", {
      name: `${database}_manager`,
      login: true,
      createRole: true,
      skipReassignOwned: true,
      superuser: false,
      searchPath: ["pg_catalog", "pg_temp"],
      passwordWo: password.stringValue,
      passwordWoVersion: "1",
      lifecycle: { ignoreChanges: "all" },
    });
    const managerConnect = chain(
      new Grant(this, "manager-connect", {
        ...{ database, role: `${database}_manager`, objectType: "database", privileges: ["CONNECT"] },
        dependsOn: [manager, last],
      }),
    );

    const engine = new Mount(this, "engine", {
      path: mount,
      type: "database",
      description: `PostgreSQL credentials of orders (${name})`,
    });
    const from = { name: database, database, endpoint: { host: "db.example.com" } };
    const namePrefix = issuedNamePrefix(from);
    const connection = new DatabaseSecretBackendConnection(this, "connection", {
      backend: mount,
      name: database,
      allowedRoles: [...roles],
      verifyConnection: true,
      rootRotationStatements: [`ALTER ROLE "{{username}}" WITH PASSWORD '{{password}}';`],
      postgresql: {
        connectionUrl: `postgresql://{{username}}:{{password}}@db.example.com:5432/${database}?sslmode=verify-full&connect_timeout=5`,
        maxConnectionLifetime: 1800,
        maxIdleConnections: 2,
        maxOpenConnections: 4,
        passwordAuthentication: "scram-sha-256",
        username: `${database}_manager`,
        usernameTemplate: issuedNameTemplate(from),
        passwordWo: password.stringValue,
        passwordWoVersion: 1,
      },
      dependsOn: [engine, made, manager, managerConnect],
    });
    const auth = new AuthBackend(this, "auth", {
      type: "approle",
      path: `${prefix}/approle`,
      description: `Applications of orders (${name})`,
    });

    const applications = roles.map((role, index) => {
      const base = bases[index];
      if (base === undefined) throw new Error(`no base role for ${role}`);
      const grant = (objectType: string, privileges: string[], schema?: string) =>
        chain(
          new Grant(this, `${role}-${objectType}`, {
            ...{ database, role: `${database}_${role}`, objectType, privileges, schema },
            dependsOn: [base, last],
          }),
        );
      const grants = [
        grant("database", ["CONNECT"]),
        grant("schema", ["USAGE"], "app"),
        grant("table", ["SELECT"], "app"),
        grant("sequence", ["SELECT"], "app"),
      ];
      const admin = new GrantRole(this, `${role}-admin`, {
        role: `${database}_manager`,
        grantRole: `${database}_${role}`,
        withAdminOption: true,
        lifecycle: { ignoreChanges: ["with_admin_option"] },
        dependsOn: [manager, base],
      });
      const statements = {
        creation_statements: [...membershipCreation(`${database}_${role}`), ...markingTerminated()],
        renew_statements: renewal(),
        revocation_statements: terminatingRevocation(`${database}_${role}`, { namePrefix }),
      };
      const ttls = { default_ttl: 3600, max_ttl: 86_400 };
      const dynamic = new DatabaseSecretBackendRole(this, `${role}-dynamic`, {
        backend: mount,
        name: role,
        dbName: database,
        creationStatements: statements.creation_statements,
        renewStatements: statements.renew_statements,
        revocationStatements: statements.revocation_statements,
        defaultTtl: ttls.default_ttl,
        maxTtl: ttls.max_ttl,
        lifecycle: { ignoreChanges: WRITTEN_WHOLE },
        dependsOn: [connection, base, ...grants, admin],
      });
      const whole = new GenericEndpoint(this, `${role}-whole`, {
        path: `${mount}/roles/${role}`,
        dataJson: JSON.stringify({
          ...{ db_name: database, ...statements, rollback_statements: [], ...ttls },
          ...{ credential_type: "password", credential_config: {} },
        }),
        ignoreAbsentFields: true,
        disableDelete: true,
        dependsOn: [dynamic],
      });
      const path = `${mount}/creds/${role}`;
      const policy = new Policy(this, `${role}-policy`, {
        name: path,
        policy: `path "${path}" {\n  capabilities = ["read"]\n}\n`,
        dependsOn: [dynamic, whole],
      });
      return new ApproleAuthBackendRole(this, `${role}-application`, {
        backend: `${prefix}/approle`,
        roleName: `${prefix}-reads-${role}`,
        bindSecretId: true,
        secretIdNumUses: 0,
        secretIdTtl: 2_592_000,
        tokenTtl: 3600,
        tokenMaxTtl: 86_400,
        tokenNumUses: 0,
        tokenType: "service",
        tokenPolicies: [path],
        dependsOn: [auth, policy],
      });
    });

    const output = (id: string, description: string, value: unknown) =>
      new TerraformOutput(this, id, { description, value, staticId: true });
    output("vault", "The Vault side: where the engine and the AppRoles are", {
      address: "https://vault.example.com:8200",
      mount,
      connection: database,
      approle_mount: `${prefix}/approle`,
    });
    output("postgres", "The PostgreSQL side: where applications connect to", {
      host: "db.example.com",
      port: 5432,
      database,
      sslmode: "verify-full",
      manager: `${database}_manager`,
    });
    const issued = roles.map((role) => ({
      base_role: `${database}_${role}`,
      access: "read-only",
      schemas: ["app"],
      revocation: "terminate",
      creds_path: `${mount}/creds/${role}`,
      default_ttl: 3600,
      max_ttl: 86_400,
    }));
    output(
      "roles",
      "Credentials that can be issued, by role",
      Object.fromEntries(roles.map((role, index) => [role, issued[index]])),
    );
    const identities = roles.map((role, index) => ({
      role_id: applications[index]?.roleId,
      login_path: `auth/${prefix}/approle/login`,
      secret_id_path: `auth/${prefix}/approle/role/${prefix}-reads-${role}/secret-id`,
      roles: [role],
    }));
    output(
      "approles",
      "Applications, by AppRole",
      Object.fromEntries(roles.map((role, index) => [`${prefix}-reads-${role}`, identities[index]])),
    );
  }
}

const [folder = "", environments = "", roles = ""] = process.argv.slice(2);
const app = new App({ outdir: folder });
for (let number = 1; number <= Number(environments); number++) {
  new BareStack(app, `e${number}`, namesOf(Number(roles)));
}
app.synth();
