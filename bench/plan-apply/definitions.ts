import * as fs from "node:fs";
import * as path from "node:path";
import { App } from "cdktf";
import { Access } from "../../lib/postgres/access";
import { CredentialsStack } from "../../stacks/credentials-stack";
import type { Environment, RolesAndApplications } from "../../stacks/environment";
import { local } from "../../stacks/environments/local";
import { StateBackend } from "../../stacks/state-backend";

/** Where Terraform keeps its state: in a file, or in a database of the server that it deploys to. */
export const STATES = ["file", "PostgreSQL"] as const;
export type State = (typeof STATES)[number];

/** What to declare: each application may read one role. */
export interface Case {
  readonly roles: number;
  /** @default - one for each role */
  readonly applications?: number;
  /**
   * What the roles are divided between: each has an environment of its own, and, where there are several, a login of its own
   * for Terraform, as pipelines of different teams have.
   *
   * @default 1
   */
  readonly databases?: number;
  /** @default "file" */
  readonly state?: State;
}

/** A way to declare the same roles: what Terraform is run in, in this order. */
export interface Definition {
  readonly name: string;
  /** Writes the definition below a folder, and returns the folders that Terraform is run in. */
  readonly write: (folder: string, of: Case, env: NodeJS.ProcessEnv) => readonly string[];
}

/** Roles in one group of the split environment. */
const GROUP_SIZE = 50;

const HCL = path.join(__dirname, "hcl");

/** For every role: base role, grant, membership of the manager and dynamic role; for its application: policy, AppRole. */
export const BY_HAND: Definition = {
  name: "HCL with for_each",
  write: (folder, of, env) => writeHcl("for-each", folder, of, env),
};

/** The same in a module for one role; but for the database not waiting for the base roles, which a destroy needs. */
export const MODULES: Definition = {
  name: "HCL with a module",
  write: (folder, of, env) => writeHcl("modules", folder, of, env),
};

export const ONE_STACK: Definition = {
  name: "one stack",
  write: (folder, of, env) => synthesize(folder, of, env, declare),
};

/** At one size the same as {@link ONE_STACK}, in a state for each {@link GROUP_SIZE} roles. */
export const GROUPS: Definition = {
  name: "base and groups",
  write: (folder, of, env) =>
    synthesize(folder, of, env, (names) => {
      const groups: Record<string, RolesAndApplications> = {};
      for (let first = 0; first < names.length; first += GROUP_SIZE) {
        groups[`group-${first / GROUP_SIZE + 1}`] = declare(names.slice(first, first + GROUP_SIZE));
      }
      return { groups };
    }),
};

export const DEFINITIONS: readonly Definition[] = [BY_HAND, ONE_STACK, GROUPS];

/** Logins that Terraform uses besides the sandbox's own, with that one's password. */
export function loginsOf({ databases = 1 }: Case): string[] {
  return databases === 1 ? [] : Array.from({ length: databases }, (_, index) => `terraform_${index + 1}`);
}

function namesOf(roles: number): string[] {
  return Array.from({ length: roles }, (_, index) => `role-${String(index + 1).padStart(5, "0")}`);
}

/** CONNECT alone: grants on one schema, which the preset levels have, cannot be made at a time, as for_each makes them. */
function declare(names: readonly string[], applications = names.length): RolesAndApplications {
  const access = Access.custom([{ on: "database", privileges: ["CONNECT"] }]);
  return {
    roles: Object.fromEntries(names.map((name) => [name, { access }])),
    applications: Object.fromEntries(names.slice(0, applications).map((name) => [name, { roles: [name] }])),
  };
}

function synthesize(
  folder: string,
  of: Case,
  env: NodeJS.ProcessEnv,
  declared: (names: readonly string[], applications: number) => Partial<Environment>,
): string[] {
  const { roles, applications = roles, databases = 1, state = "file" } = of;
  fs.mkdirSync(folder, { recursive: true });
  const logins = loginsOf(of);
  const app = new App({ outdir: path.join(folder, "cdktf.out"), stackTraces: false });
  const stacks = Array.from({ length: databases }, (_, index) => {
    const environment = local(env);
    return new CredentialsStack(app, {
      ...environment,
      application: "bench",
      name: databases === 1 ? environment.name : `${environment.name}${index + 1}`,
      postgres: { ...environment.postgres, username: logins[index] ?? environment.postgres.username },
      state: state === "file" ? StateBackend.local() : StateBackend.postgres(),
      roles: {},
      applications: {},
      ...declared(namesOf(roles / databases), applications / databases),
    });
  });
  app.synth();
  return stacks
    .flatMap((stack) => [stack, ...stack.groups])
    .map(({ node }) => path.join(folder, "cdktf.out", "stacks", node.id));
}

function writeHcl(
  variant: "for-each" | "modules",
  folder: string,
  { roles, databases = 1, state = "file" }: Case,
  env: NodeJS.ProcessEnv,
): string[] {
  if (databases > 1) throw new Error("The HCL is of one database.");
  for (const part of [variant, "shared"]) fs.cpSync(path.join(HCL, part), folder, { recursive: true });
  if (state === "PostgreSQL")
    fs.writeFileSync(path.join(folder, "state.tf"), 'terraform {\n  backend "pg" {}\n}\n');
  const variables = {
    roles: namesOf(roles),
    postgres_host: env.PGHOST,
    postgres_port: Number(env.PGPORT),
  };
  fs.writeFileSync(path.join(folder, "terraform.tfvars.json"), JSON.stringify(variables));
  return [folder];
}
