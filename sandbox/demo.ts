import * as fs from "node:fs/promises";
import { Application } from "../cli/application";
import { CheckList, Failure, type Check } from "../cli/checks";
import { proveEnvironment } from "../cli/proof";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { Deployment, writtenFiles } from "./deployment";
import type { Sandbox } from "./sandbox";
import { addedSince, takeSnapshot } from "./snapshot";

const SUBJECT = "deployment";

/**
 * The main job on a sandbox, from the first deployment to the last trace: deploys the environment with the real cdktf,
 * proves it, deploys again, destroys, and looks for what was left.
 */
export async function demonstrate(
  sandbox: Sandbox,
  environment: string,
  onStep: (line: string) => void,
  onCheck: (check: Check) => void,
): Promise<readonly Check[]> {
  const list = new CheckList(onCheck);
  sandbox.lifetime.allSecrets().forEach((secret) => list.conceal(secret));
  const deployment = new Deployment(sandbox, environment);
  const before = await takeSnapshot(sandbox);

  onStep(`Deploying: cdktf deploy ${environment}`);
  const deployed = await list.expect(`cdktf deploy ${environment}`, SUBJECT, async () => {
    await deployment.deploy();
    return `${addedSince(before, await takeSnapshot(sandbox)).length} things made in Vault and PostgreSQL`;
  });
  if (!deployed) return list.checks;

  await list.expect("no secret in what was synthesized, nor in the state", SUBJECT, () =>
    checkFiles(sandbox),
  );

  onStep("Proving it as its applications use it");
  const outputs = deployment.outputs();
  const context = { vaultToken: sandbox.verifier.vaultToken };
  const proof = await proveEnvironment(outputs, context, onCheck);

  onStep("Deploying again");
  await list.expect("a second deploy changes nothing", SUBJECT, async () => {
    if (await deployment.hasChanges()) throw new Failure("the plan of a second deployment is not empty");
    return "its plan is empty";
  });

  onStep(`Taking it down: npm run destroy -- ${environment}`);
  await list.expect("leave a credential in use", SUBJECT, () => leaveOneInUse(sandbox, outputs, list));
  await list.expect(`npm run destroy -- ${environment}`, SUBJECT, async () => {
    await deployment.takeDown();
    return "the credential in use first, then everything";
  });
  await list.expect("nothing is left in Vault and PostgreSQL", SUBJECT, async () => {
    const left = addedSince(before, await takeSnapshot(sandbox));
    if (left.length > 0) throw new Failure(left.join(", "));
    return `as before: ${before.size} things, all the servers' own`;
  });
  const [deploy, files, ...rest] = list.checks;
  return [deploy, files, ...proof, ...rest].filter((check) => check !== undefined);
}

/** A credential that an application holds while its environment is destroyed. */
async function leaveOneInUse(
  sandbox: Sandbox,
  outputs: EnvironmentOutputs,
  list: CheckList,
): Promise<string> {
  const [name, approle] = Object.entries(outputs.approles)[0] ?? [];
  const role = outputs.roles[approle?.roles[0] ?? ""];
  if (name === undefined || approle === undefined || role === undefined)
    throw new Failure("there is no AppRole");
  const operator = sandbox.vault.client().withToken(sandbox.verifier.vaultToken);
  const application = new Application(operator, name, approle, list);
  const { login } = await application.issue(await application.enter(), role);
  return `${name} holds ${login.username}`;
}

async function checkFiles(sandbox: Sandbox): Promise<string> {
  const secrets = sandbox.lifetime.allSecrets();
  const files = writtenFiles(sandbox.directory);
  if (!files.some((file) => file.endsWith(".tfstate"))) throw new Failure("there is no state file to search");
  const leaks: string[] = [];
  for (const file of files) {
    const content = await fs.readFile(file, "latin1");
    if (secrets.some((secret) => content.includes(secret))) leaks.push(file);
  }
  if (leaks.length > 0) throw new Failure(`found in ${leaks.join(", ")}`);
  return `${secrets.length} secrets, ${files.length} files, none found`;
}
