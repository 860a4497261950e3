import { generateKeyPairSync, sign } from "node:crypto";
import type { VaultBody } from "../../cli/vault-client";
import type { Sandbox } from "../../sandbox/sandbox";

// The engine keeps eight characters of this and the name.
const MOUNT = "p";
const AUDIENCE = "database";
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** Lets whoever an identity provider vouches for read every credential of an engine: the tests are the provider. */
export async function enableIdentities(sandbox: Sandbox, engine: string): Promise<void> {
  const vault = sandbox.vault.client();
  await vault.write(`sys/auth/${MOUNT}`, { type: "jwt" });
  await vault.write(`auth/${MOUNT}/config`, {
    jwt_validation_pubkeys: [publicKey.export({ type: "spki", format: "pem" })],
  });
  await vault.write("sys/policies/acl/people", {
    policy: `path "${engine}/creds/+" { capabilities = ["read"] }`,
  });
  await vault.write(`auth/${MOUNT}/role/person`, {
    ...{ role_type: "jwt", user_claim: "sub", bound_audiences: [AUDIENCE], token_policies: ["people"] },
  });
}

/** Reads a credential as a person whom the provider calls so; the engine's own template puts that into the user's name. */
export async function asPerson(sandbox: Sandbox, name: string, credsPath: string): Promise<VaultBody> {
  const vault = sandbox.vault.client();
  const { auth } = await vault.write(`auth/${MOUNT}/login`, { role: "person", jwt: token(name) });
  return vault.withToken(auth?.client_token).read(credsPath);
}

function token(sub: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1_000);
  const content = `${part({ alg: "ES256", typ: "JWT" })}.${part({ sub, aud: AUDIENCE, iat: now, exp: now + 300 })}`;
  const signature = sign("sha256", Buffer.from(content), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${content}.${signature.toString("base64url")}`;
}
