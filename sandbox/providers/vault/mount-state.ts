// What mounts of secrets engines and of auth methods have in common.
import { VaultError, type Data, type VaultServer } from "./server";

/** Undefined where nothing is mounted; the servers answer that with 400 and a message. */
export async function readMount(
  server: VaultServer,
  path: string,
  namespace: string,
): Promise<Data | undefined> {
  try {
    return await server.read(`sys/mounts/${path}`, namespace);
  } catch (error) {
    if (
      error instanceof VaultError &&
      error.errors.some((each) => /No (secret|auth) engine( mount)? at/.test(each))
    ) {
      return undefined;
    }
    throw error;
  }
}

/** Moves a mount with all that is in it; secrets engines lose their leases. */
export async function remount(
  server: VaultServer,
  from: string,
  to: string,
  namespace: string,
): Promise<void> {
  const started = await server.post("sys/remount", { from, to }, namespace);
  const migration = String(started?.migration_id);
  for (;;) {
    const answer = await server.read(`sys/remount/status/${migration}`, namespace);
    const status = (answer?.migration_info as Data | undefined)?.status;
    if (status === "success") {
      return;
    }
    if (status !== "in-progress") {
      throw new Error(`moving the mount ${from} to ${to} ended as ${String(status)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
