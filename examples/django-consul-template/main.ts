import { App } from "cdktf";
import { DjangoStack } from "./django-stack";

const app = new App();
new DjangoStack(app, "django-consul-template", {
  vaultAddress: "https://vault.dev.example.com:8200",
  postgresHost: "postgres.dev.example.com",
  folder: "/srv/django",
  tokenFile: "/run/consul-template/token",
});
app.synth();
