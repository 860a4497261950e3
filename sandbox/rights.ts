import * as fs from "node:fs";
import * as path from "node:path";
import type { Client } from "pg";
import type { VaultClient } from "../cli/vault-client";

const FOLDER = path.resolve(__dirname, "..", "docs", "rights");

/** Long enough for any sandbox; the server does not outlive it. */
const TOKEN_TTL = "720h";

/** The token that deploys, with the documented policy and nothing else, not even the default policy. */
export function makeDeployerToken(vault: VaultClient): Promise<string> {
  return makeToken(vault, "credentials-deployer", "vault-policy.hcl");
}

/** The token that deploys a stack with key-value engines, audit devices or quotas as well. */
export function makeExtrasDeployerToken(vault: VaultClient): Promise<string> {
  return makeToken(vault, "credentials-deployer-extras", "vault-policy.hcl", "vault-policy-extras.hcl");
}

/** The token that issues SecretIDs for a proof, with the documented policy and nothing else. */
export function makeVerifierToken(vault: VaultClient): Promise<string> {
  return makeToken(vault, "credentials-verifier", "verify-policy.hcl");
}

/** The token of an operator, with the documented policy and nothing else. */
export function makeOperatorToken(vault: VaultClient): Promise<string> {
  return makeToken(vault, "credentials-operator", "operator-policy.hcl");
}

/** The documented login that deploys. */
export async function makeDeployerLogin(superuser: Client, password: string): Promise<string> {
  await makeLogin(superuser, "postgres-login.sql", password);
  return "terraform";
}

/** The documented login of an operator; made after the one that deploys. */
export async function makeOperatorLogin(superuser: Client, password: string): Promise<string> {
  await makeLogin(superuser, "operator-login.sql", password);
  return "credentials_operator";
}

/** What the databases of PostgreSQL 14 are to be made from; the session is one in template1. */
export async function prepareTemplate(superuser: Client): Promise<void> {
  await superuser.query(fs.readFileSync(path.join(FOLDER, "postgres-14-template.sql"), "utf8"));
}

async function makeLogin(superuser: Client, file: string, password: string): Promise<void> {
  const sql = fs.readFileSync(path.join(FOLDER, file), "utf8");
  await superuser.query(sql.replaceAll(":'password'", () => superuser.escapeLiteral(password)));
}

/** A policy for each file, named after the token and the file. */
async function makeToken(vault: VaultClient, name: string, ...files: string[]): Promise<string> {
  const policies: string[] = [];
  for (const file of files) {
    const policy = files.length === 1 ? name : `${name}-${path.basename(file, ".hcl")}`;
    await vault.write(`sys/policies/acl/${policy}`, {
      policy: fs.readFileSync(path.join(FOLDER, file), "utf8"),
    });
    policies.push(policy);
  }
  const answer = await vault.write("auth/token/create", {
    policies,
    no_default_policy: true,
    display_name: name,
    ttl: TOKEN_TTL,
  });
  if (!answer.auth) throw new Error("auth/token/create answered without a token");
  return answer.auth.client_token;
}
