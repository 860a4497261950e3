import { App } from "cdktf";
import { ReportingStack } from "./reporting-stack";

const app = new App();
new ReportingStack(app, "reporting-dev", {
  vaultAddress: "https://vault.dev.example.com:8200",
  postgresHost: "postgres.dev.example.com",
  postgresSslMode: "require",
});
app.synth();
