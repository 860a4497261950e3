import { Duration } from "../../lib";
import type { Environment } from "../environment";
import { StateBackend } from "../state-backend";
import { orders } from "./orders";

/** Certificates checked, logins bound to the networks of their applications, state encrypted and locked. */
export const production: Environment = {
  ...orders,
  name: "production",
  vault: { address: "https://vault.example.com:8200", caCertFile: "/etc/ssl/certs/vault-ca.pem" },
  postgres: {
    host: "postgres.example.com",
    sslMode: "verify-full",
    sslRootCert: "/etc/vault.d/postgres-ca.pem",
    caCertFile: "/etc/ssl/certs/postgres-ca.pem",
    maxOpenConnections: 8,
  },
  applications: {
    ...orders.applications,
    api: {
      ...orders.applications.api,
      secretIdTtl: Duration.days(7),
      secretIdBoundCidrs: ["10.20.0.0/16"],
      tokenBoundCidrs: ["10.20.0.0/16"],
    },
    reports: {
      ...orders.applications.reports,
      secretIdTtl: Duration.days(7),
      secretIdBoundCidrs: ["10.30.0.0/16"],
      tokenBoundCidrs: ["10.30.0.0/16"],
    },
  },
  state: StateBackend.s3({
    bucket: "example-terraform-state",
    region: "eu-central-1",
    key: "orders/production.tfstate",
  }),
};
