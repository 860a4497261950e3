import { App } from "cdktf";
import { SidecarGroupsStack } from "./sidecar-groups-stack";

const app = new App();
new SidecarGroupsStack(app, "sidecar-groups", {
  vaultAddress: "https://vault.example.com:8200",
  mysql: { host: "mysql.example.com" },
});
app.synth();
