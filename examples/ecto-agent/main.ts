import { App } from "cdktf";
import { EctoAgentStack } from "./ecto-agent-stack";

const app = new App();
new EctoAgentStack(app, "ecto-agent", {
  vaultAddress: "https://vault.dev.example.com:8200",
  postgresHost: "postgres.dev.example.com",
  folder: "/run/vault_ecto",
});
app.synth();
