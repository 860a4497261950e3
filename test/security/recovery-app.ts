// An app of one environment, with all that an import has to take in; run by cdktf in a test's own folder.
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { App } from "cdktf";
import { CredentialsStack } from "../../stacks/credentials-stack";
import type { Environment } from "../../stacks/environment";
import { local } from "../../stacks/environments/local";

export function recoverable(variables: NodeJS.ProcessEnv): Environment {
  const environment = local(variables);
  const { RECOVERY_APPLICATION: application = environment.application } = variables;
  return { ...environment, application, staticRoles: { legacy: { role: "reader" } } };
}

/** Makes a folder that cdktf can be run in. */
export function makeProject(folder: string): string {
  fs.mkdirSync(folder);
  const tsx = pathToFileURL(require.resolve("tsx")).href;
  const app = `node --import ${tsx} ${JSON.stringify(path.join(__dirname, "recovery-app.ts"))}`;
  fs.writeFileSync(
    path.join(folder, "cdktf.json"),
    JSON.stringify({ language: "typescript", app, sendCrashReports: "false" }),
  );
  return folder;
}

if (require.main === module) {
  const app = new App();
  new CredentialsStack(app, recoverable(process.env));
  app.synth();
}
