import { App } from "cdktf";
import { ConfigurationError } from "./lib";
import { CredentialsStack } from "./stacks/credentials-stack";
import { environments } from "./stacks/environments";

try {
  const app = new App();
  for (const environment of environments(process.env)) new CredentialsStack(app, environment);
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
