import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { escapeIdentifier, type Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { cdktfProgram } from "./cdktf";
import {
  baseRolesNamedLike,
  baseRolesOf,
  endEngineSessions,
  ownersAmong,
  unendableSessions,
} from "./database-users";
import { describeError, UserError } from "./errors";
import { knownNames } from "./inventory";
import { endingRemedy, namedIn, usersWithoutLease } from "./left-users";
import { operatorLogin } from "./operator-login";
import { synthesized } from "./terraform";
import { counted } from "./text";
import type { VaultClient } from "./vault-client";

/**
 * Asks Terraform for the plan of each stack before any credential ends: it refuses where the database is protected, say.
 *
 * @param output folder that cdktf synthesizes into
 * @returns names of the environment's stacks
 * @throws UserError with Terraform's words
 */
export async function requireDestroyable(
  environment: string,
  output: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  try {
    const stacks = await synthesized(environment, output, env);
    for (const stack of stacks) await stack.terraform(["plan", "-destroy", "-input=false", "-no-color"]);
    return stacks.map(({ name }) => name);
  } catch (error) {
    throw new UserError(
      `It cannot be destroyed as it stands, and nothing was changed.\n${describeError(error)}`,
    );
  }
}

/**
 * Sees that no group is deployed that the app has no more: its stack would be left behind, with nothing to stand on.
 *
 * @param stacks those that are to be destroyed
 * @throws UserError that names them
 */
export function requireAllGroups(stacks: readonly string[], { group_stacks = [] }: EnvironmentOutputs): void {
  const left = group_stacks.filter((stack) => !stacks.includes(stack));
  if (left.length === 0) return;
  throw new UserError(
    `The deployed environment has ${left.join(", ")}, which its definition has no more, and nothing was changed.`,
    "Put the groups back, destroy their stacks with cdktf destroy, and take them out again; then deploy.",
  );
}

/**
 * Sees that PostgreSQL will drop everything, before Terraform has destroyed half of it, and that no user of the engine would
 * outlive it: one that Vault has no lease of.
 *
 * No session may be left that keeps it from dropping the database: one that outlived its role, say, which Terraform's
 * login may not end. Those of the engine are ended here. And roles of groups, which go before the database, may own nothing
 * in it: a large object, say, which anyone may make.
 *
 * @param stacks names of the environment's stacks, its own first
 * @param output folder that cdktf synthesized into
 * @param vault with the token that drained the engine
 * @throws UserError that names what is in the way
 */
export async function requireDroppable(
  [environment = "", ...groups]: readonly string[],
  output: string,
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { PGPASSWORD, PGSSLROOTCERT } = env;
  const PGUSER = synthesizedFile(environment, output).provider?.postgresql?.[0]?.username ?? env.PGUSER;
  const session = await operatorLogin(outputs, { PGUSER, PGPASSWORD, PGSSLROOTCERT });
  const { database } = outputs.postgres;
  try {
    await requireNoUsers(environment, session.client, outputs, vault);
    await endEngineSessions(session.client, outputs);
    const sessions = await unendableSessions(session.client, outputs);
    if (sessions.length > 0) {
      const named = sessions.map(({ pid, user }) => `${pid} (${user ?? "its role is gone"})`).join(", ");
      throw new UserError(
        `${counted(sessions.length, "session")} of ${database} would keep it from being dropped, and ` +
          `Terraform's login may not end them: process ${named}.`,
        `Wait for their end, or end those without a role: vault-postgres revoke ${environment} --all --end-sessions`,
      );
    }
    const roles = groups.flatMap((stack) => declaredRoles(stack, output));
    await requireDeclared(environment, session.client, outputs, [
      ...roles,
      ...baseRolesOf(outputs),
      ...declaredRoles(environment, output),
    ]);
    const owners = await ownersAmong(session.client, database, roles);
    if (owners.length > 0) {
      throw new UserError(
        `What ${owners.join(", ")} own in ${database} would keep them from being dropped before it.`,
        `As a superuser in ${database}: ${owners.map((role) => `DROP OWNED BY ${escapeIdentifier(role)};`).join(" ")}`,
      );
    }
  } finally {
    await session.close();
  }
}

/** The engine has no lease any more: whoever is there goes on when the engine is gone. */
async function requireNoUsers(
  environment: string,
  client: Client,
  outputs: EnvironmentOutputs,
  vault: VaultClient,
): Promise<void> {
  const known = await knownNames(outputs, vault);
  const found = await usersWithoutLease(outputs, vault, client, { known, leases: [], users: [] });
  const users = namedIn(found);
  if (users.length === 0) return;
  throw new UserError(
    `PostgreSQL has ${counted(users.length, "user")} without a lease, which would outlive the engine: ` +
      `${users.map(({ name }) => name).join(", ")}.`,
    `After a look at whose they are. ${endingRemedy(environment, outputs, found)}`,
  );
}

/**
 * A group that is taken out of the definition and deployed so before its stack was destroyed is in no output any more, and its
 * base roles would be left behind.
 *
 * @param declared names of the roles that the stacks declare
 */
async function requireDeclared(
  environment: string,
  client: Client,
  { postgres: { database, manager } }: EnvironmentOutputs,
  declared: readonly string[],
): Promise<void> {
  const left = (await baseRolesNamedLike(client, `${database}_`, manager)).filter(
    (role) => !declared.includes(role),
  );
  if (left.length === 0) return;
  throw new UserError(
    `The engine hands out ${left.join(", ")}, which no stack of ${environment} declares any more, and which would be left behind.`,
    "If it was a group's: put the group back, destroy its stack with cdktf destroy, take it out and deploy; then run this again. " +
      `Where nothing of it is wanted and its stack's state is gone: as a superuser in ${database}, DROP OWNED BY and DROP ROLE.`,
  );
}

function declaredRoles(stack: string, output: string): string[] {
  return Object.values(synthesizedFile(stack, output).resource?.postgresql_role ?? {}).map(
    ({ name }) => name,
  );
}

interface SynthesizedFile {
  readonly provider?: { readonly postgresql?: readonly { readonly username?: string }[] };
  readonly resource?: { readonly postgresql_role?: Readonly<Record<string, { readonly name: string }>> };
}

function synthesizedFile(stack: string, output: string): SynthesizedFile {
  const file = path.resolve(output, "stacks", stack, "cdk.tf.json");
  return JSON.parse(fs.readFileSync(file, "utf8")) as SynthesizedFile;
}

/**
 * Runs `cdktf destroy` in this terminal. It takes stacks that depend on another first.
 *
 * @param toStandardError whether what it prints goes there instead of to standard output
 * @returns its exit code
 */
export function cdktfDestroy(
  stacks: readonly string[],
  options: readonly string[],
  env: NodeJS.ProcessEnv,
  toStandardError: boolean,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cdktfProgram(), "destroy", ...stacks, ...options], {
      env,
      stdio: ["inherit", toStandardError ? process.stderr : "inherit", "inherit"],
    });
    // Ctrl-C reaches both; a SIGTERM for us alone is handed on.
    const forward = () => child.kill("SIGTERM");
    process.on("SIGTERM", forward);
    child.once("error", reject);
    child.once("exit", (code) => {
      process.off("SIGTERM", forward);
      resolve(code ?? 1);
    });
  });
}
