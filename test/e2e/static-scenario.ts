// The example `dynamic-and-static` on a sandbox, and its client while something happens to its credentials.
import { LocalBackend } from "cdktf";
import type { Construct } from "constructs";
import {
  DynamicAndStaticStack,
  type DynamicAndStaticStackProps,
} from "../../examples/dynamic-and-static/dynamic-and-static-stack";
import { endlessClient, type ClientEvent } from "../../examples/dynamic-and-static/endless-client";
import type { Sandbox } from "../../sandbox/sandbox";

export const ENGINE = "example/database";

/** The example on a sandbox, below a path that the documented rights reach. */
export function stackOn(sandbox: Sandbox, props: Partial<DynamicAndStaticStackProps> = {}) {
  const { VAULT_ADDR = "", PGHOST = "", PGPORT } = sandbox.env;
  return (scope: Construct) => {
    const stack = new DynamicAndStaticStack(scope, "example", {
      vaultAddress: VAULT_ADDR,
      postgres: { host: PGHOST, port: Number(PGPORT), sslMode: "disable" },
      enginePath: ENGINE,
      authPath: "example/approle",
      databaseTemplate: "template1",
      deletionProtection: false,
      ...props,
    });
    new LocalBackend(stack, { path: "terraform.tfstate" });
    return stack;
  };
}

/** As the application, whose token may read the two paths and nothing else. */
export async function logIn(sandbox: Sandbox): Promise<string> {
  const vault = sandbox.vault.client();
  const role = "auth/example/approle/role/example";
  const { data: id } = await vault.read(`${role}/role-id`);
  const { data: secret } = await vault.write(`${role}/secret-id`);
  const { auth } = await vault.write("auth/example/approle/login", {
    role_id: id?.role_id,
    secret_id: secret?.secret_id,
  });
  return sandbox.lifetime.remember(auth?.client_token ?? "");
}

/** Goes on until the client meets with this. */
export type NextEvent = (kind: ClientEvent["kind"]) => Promise<ClientEvent>;

/** Runs the endless client while the story is told, and ends it. */
export async function whileWorking(
  sandbox: Sandbox,
  vaultToken: string,
  credsPath: string,
  story: (next: NextEvent) => Promise<void>,
): Promise<ClientEvent[]> {
  const stop = new AbortController();
  const seen: ClientEvent[] = [];
  const events = endlessClient({
    vaultAddress: sandbox.vault.address,
    vaultToken,
    credsPath,
    host: sandbox.postgres.host,
    port: sandbox.postgres.port,
    database: "example",
    intervalMilliseconds: 50,
    signal: stop.signal,
  });
  const next: NextEvent = async (kind) => {
    for (;;) {
      const result = await events.next();
      if (result.done === true) throw new Error(`the client ended before it ${kind}`);
      seen.push(result.value);
      if (result.value.kind === kind) return result.value;
    }
  };
  try {
    await story(next);
  } finally {
    stop.abort();
    await events.return(undefined);
  }
  return seen;
}
