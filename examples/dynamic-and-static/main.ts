import { App } from "cdktf";
import { DynamicAndStaticStack } from "./dynamic-and-static-stack";

const app = new App();
new DynamicAndStaticStack(app, "dynamic-and-static", {
  vaultAddress: "https://vault.your.domain:8200",
  postgres: { host: "postgres.your.domain" },
});
app.synth();
