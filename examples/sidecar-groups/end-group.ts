/** Stops one group: npx tsx end-group.ts rack-a, with VAULT_ADDR and VAULT_TOKEN of an operator. */
import { endGroup } from "../../cli/end-group";
import { VaultClient } from "../../cli/vault-client";

async function main(): Promise<void> {
  const [name, mount = "approle"] = process.argv.slice(2);
  const { VAULT_ADDR: address, VAULT_TOKEN: token } = process.env;
  if (!name || !address || !token) throw new Error("Name a group, and set VAULT_ADDR and VAULT_TOKEN.");
  const { tokens, secretIds } = await endGroup(new VaultClient({ address, token }), { mount, name });
  console.log(`${name}: ${tokens} tokens revoked, ${secretIds} SecretIDs destroyed`);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
