import { App } from "cdktf";
import { DashboardStack } from "./dashboard-stack";

const app = new App();
new DashboardStack(app, "dashboard-with-fallback", {
  vaultAddress: "https://vault.your.domain:8200",
  postgres: { host: "postgres.your.domain" },
  // For OpenBao: "server-configuration".
  auditDeclaredIn: "api",
});
app.synth();
