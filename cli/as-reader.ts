import type { EnvironmentOutputs } from "../stacks/outputs";
import { Application } from "./application";
import { CheckList, Failure, Skip } from "./checks";
import { describeError } from "./errors";
import { leftText, type Left } from "./given-up";
import { readersOf } from "./named";
import { VaultError, type VaultClient } from "./vault-client";

/**
 * Does something as an application that may read a role: the operator's own token reads no credential. AppRoles that do not
 * let anybody in from here, being bound to other networks, are passed over.
 *
 * @throws Failure if none of them lets us in
 */
export async function asReader<T>(
  outputs: EnvironmentOutputs,
  operator: VaultClient,
  role: string,
  work: (application: Application, vault: VaultClient) => Promise<T>,
): Promise<T> {
  const refusals: string[] = [];
  for (const name of readersOf(outputs, role)) {
    const approle = outputs.approles[name];
    if (approle === undefined) continue;
    const application = new Application(operator, name, approle, new CheckList());
    try {
      const vault = await application.enter().catch((error: unknown) => {
        if (!(error instanceof VaultError) && !(error instanceof Failure) && !(error instanceof Skip))
          throw error;
        refusals.push(`${name}: ${describeError(error)}`);
        return undefined;
      });
      if (vault !== undefined) {
        const result = await work(application, vault);
        requireNothing(await application.leave());
        return result;
      }
    } catch (error) {
      const left = (await application.leave()).filter(({ isRefused }) => !isRefused);
      if (left.length > 0) throw new Failure(`${describeError(error)}; left behind: ${leftText(left)}`);
      // In, and its tokens are for other networks.
      if (!(error instanceof Skip)) throw error;
      refusals.push(`${name}: ${describeError(error)}`);
    } finally {
      await application.leave();
    }
  }
  throw new Failure(
    refusals.length > 0
      ? `no AppRole that may read ${role} lets us in: ${refusals.join("; ")}`
      : `no AppRole of the environment may read ${role}`,
  );
}

function requireNothing(left: readonly Left[]): void {
  const failed = left.filter(({ isRefused }) => !isRefused);
  if (failed.length > 0) throw new Failure(`left behind: ${leftText(failed)}`);
}
