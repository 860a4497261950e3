import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Testing } from "cdktf";
import { chooseProviders } from "../../sandbox/providers/choose";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { local } from "../../stacks/environments/local";
import { applyAndSnapshot, comparableState, ParityWorkspace } from "./parity";
import { parityConfiguration, type ParityOptions } from "./parity-configuration";
import { makeDrift } from "./parity-drift";
import { takeParitySnapshot, type ParityServers } from "./parity-snapshot";
import { describeWithRealPlugins, realPlugins } from "./real-plugins";

// Needs both kinds of plugins: TF_CLI_CONFIG_FILE may name a mirror that has the real ones.
const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
const real = realPlugins(terraform);
const MINUTES = 60_000;

const NOTHING = { vault: {}, postgres: { roles: [], memberships: [], databases: [] } };

describeWithRealPlugins(real, "the stand-ins, beside the real plugins", () => {
  const directory = mkdtempSync(join(tmpdir(), "parity-"));
  let sandbox: Sandbox;
  let servers: ParityServers;
  let standInEnvironment: Record<string, string>;

  beforeAll(async () => {
    sandbox = await startSandbox({ terraform: false });
    const { host, port, superuser, superuserPassword } = sandbox.postgres;
    servers = {
      vaultAddress: sandbox.vault.address,
      vaultToken: sandbox.vault.rootToken,
      postgres: { host, port, user: superuser, password: superuserPassword, database: "postgres" },
    };
    standInEnvironment = (await chooseProviders({ directory, terraform, mode: "standin" })).env;
  }, 3 * MINUTES);

  afterAll(async () => {
    await sandbox?.stop();
    rmSync(directory, { recursive: true, force: true });
  }, MINUTES);

  function login(superuser: boolean): { username: string; password: string } {
    return superuser
      ? { username: sandbox.postgres.superuser, password: sandbox.postgres.superuserPassword }
      : { username: sandbox.deployer.postgresUser, password: sandbox.deployer.postgresPassword };
  }

  function workspace(name: string, superuser: boolean, environment: Record<string, string>): ParityWorkspace {
    const variables = {
      TF_VAR_vault_token: servers.vaultToken,
      TF_VAR_pg_password: login(superuser).password,
      TF_VAR_manager_password: sandbox.managerPassword,
    };
    const folder = join(directory, `${name}-${superuser ? "superuser" : "deployer"}`);
    return new ParityWorkspace({
      terraform,
      directory: folder,
      environment: { ...variables, ...environment },
    });
  }

  describe.each([
    { as: "a superuser", superuser: true, prefix: "parity_s_" },
    { as: "a login with CREATEDB and CREATEROLE only", superuser: false, prefix: "parity_d_" },
  ])("as $as", ({ superuser, prefix }) => {
    let theirs: ParityWorkspace;
    let ours: ParityWorkspace;
    const configuration = (changed: boolean) => {
      const { host, port } = sandbox.postgres;
      const postgres = { host, port, username: login(superuser).username, superuser };
      return parityConfiguration({
        prefix,
        changed,
        auditByApi: sandbox.vault.product === "Vault",
        vaultAddress: servers.vaultAddress,
        postgres,
      } satisfies ParityOptions);
    };
    const both = async (changed: boolean) => {
      await theirs.configure(configuration(changed));
      await ours.configure(configuration(changed));
    };

    beforeAll(() => {
      if (!real.installed) {
        throw new Error(real.reason);
      }
      theirs = workspace("real", superuser, real.environment);
      ours = workspace("standin", superuser, standInEnvironment);
    });

    it(
      "make the same, write the same state, go on from each other's, and leave nothing",
      async () => {
        const made = await applyAndSnapshot(theirs, configuration(false), servers, prefix);
        await ours.configure(configuration(false));
        await ours.takeOver(theirs);
        expect(await ours.plannedChanges()).toEqual({});
        const state = comparableState(await theirs.state());

        await ours.destroy();
        expect(await takeParitySnapshot(servers, prefix)).toEqual(NOTHING);

        expect(await applyAndSnapshot(ours, configuration(false), servers, prefix)).toEqual(made);
        expect(comparableState(await ours.state())).toEqual(state);
        expect(await ours.plannedChanges()).toEqual({});
        await theirs.takeOver(ours);
        expect(await theirs.plannedChanges()).toEqual({});
      },
      2 * MINUTES,
    );

    it(
      "plan and make the same changes in place",
      async () => {
        await both(true);
        const planned = await theirs.plannedChanges();
        expect(Object.values(planned)).toContainEqual(expect.stringMatching(/^update .*default_ttl/));
        expect(await ours.plannedChanges()).toEqual(planned);

        const changed = await applyAndSnapshot(ours, configuration(true), servers, prefix);
        const state = comparableState(await ours.state());
        expect(await ours.plannedChanges()).toEqual({});
        await theirs.takeOver(ours);
        expect(await theirs.plannedChanges()).toEqual({});

        // Back with the real plugins, and once more with them.
        await theirs.configure(configuration(false));
        await theirs.apply();
        await ours.configure(configuration(false));
        await ours.takeOver(theirs);
        expect(await ours.plannedChanges()).toEqual({});
        expect(await applyAndSnapshot(theirs, configuration(true), servers, prefix)).toEqual(changed);
        expect(comparableState(await theirs.state())).toEqual(state);
      },
      2 * MINUTES,
    );

    it(
      "see the same drift, and mend it",
      async () => {
        await both(true);
        await ours.takeOver(theirs);
        await makeDrift(servers, prefix);
        const planned = await theirs.plannedChanges();
        expect(Object.keys(planned).length).toBeGreaterThan(12);
        expect(await ours.plannedChanges()).toEqual(planned);

        await ours.apply();
        expect(await ours.plannedChanges()).toEqual({});
        await theirs.takeOver(ours);
        expect(await theirs.plannedChanges()).toEqual({});
      },
      2 * MINUTES,
    );

    it(
      "import the same state, and see the same to be done after it",
      async () => {
        await both(true);
        const ids = Object.fromEntries(
          Object.entries(await theirs.state()).flatMap(([address, { id }]) =>
            IMPORTED.some((type) => address.startsWith(`${type}.`)) ? [[address, String(id)]] : [],
          ),
        );
        expect(new Set(Object.keys(ids).map((address) => address.split(".")[0])).size).toBe(IMPORTED.length);
        const kept = await theirs.stateText();
        await theirs.importAnew(ids);
        await ours.importAnew(ids);
        expect(comparableState(await ours.state())).toEqual(comparableState(await theirs.state()));
        expect(await ours.plannedChanges()).toEqual(await theirs.plannedChanges());
        await theirs.restore(kept);
        await ours.restore(kept);
      },
      4 * MINUTES,
    );

    it(
      "keep secrets out of the state, and leave nothing after a destroy",
      async () => {
        const text = await ours.stateText();
        for (const secret of [sandbox.managerPassword, servers.vaultToken, login(superuser).password]) {
          expect(text).not.toContain(secret);
        }
        await ours.destroy();
        expect(await takeParitySnapshot(servers, prefix)).toEqual(NOTHING);
      },
      2 * MINUTES,
    );
  });

  it(
    "make the same of the app's own environment, with the documented rights, and go on from each other's state",
    async () => {
      if (!real.installed) throw new Error(real.reason);
      const variables = {
        VAULT_TOKEN: sandbox.deployer.vaultToken,
        PGPASSWORD: sandbox.deployer.postgresPassword,
        TF_VAR_manager_password: sandbox.managerPassword,
      };
      const environmentOf = (name: string, plugins: Record<string, string>) =>
        new ParityWorkspace({
          terraform,
          directory: join(directory, `environment-${name}`),
          environment: { ...variables, ...plugins },
        });
      const theirs = environmentOf("real", real.environment);
      const ours = environmentOf("standin", standInEnvironment);
      const configuration = ownEnvironment(sandbox);

      const made = await applyAndSnapshot(theirs, configuration, servers, APPLICATION);
      const state = comparableState(await theirs.state());
      await ours.configure(configuration);
      await ours.takeOver(theirs);
      expect(await ours.plannedChanges()).toEqual({});
      await ours.destroy();
      expect(await takeParitySnapshot(servers, APPLICATION)).toEqual(NOTHING);

      expect(await applyAndSnapshot(ours, configuration, servers, APPLICATION)).toEqual(made);
      expect(comparableState(await ours.state())).toEqual(state);
      await theirs.takeOver(ours);
      expect(await theirs.plannedChanges()).toEqual({});
      await theirs.destroy();
      expect(await takeParitySnapshot(servers, APPLICATION)).toEqual(NOTHING);
    },
    2 * MINUTES,
  );
});

const APPLICATION = "parity";
/** What `vault-postgres import` imports; audit devices are no part of every parity configuration. */
const IMPORTED = [
  "postgresql_database",
  "postgresql_role",
  "postgresql_schema",
  "vault_approle_auth_backend_role",
  "vault_auth_backend",
  "vault_database_secret_backend_connection",
  "vault_database_secret_backend_role",
  "vault_database_secret_backend_static_role",
  "vault_mount",
  "vault_policy",
  "vault_quota_rate_limit",
];

/** The worked example on a sandbox's servers, with its state where the workspaces keep theirs. */
function ownEnvironment(sandbox: Sandbox): unknown {
  const environment = local({
    VAULT_ADDR: sandbox.vault.address,
    PGHOST: sandbox.postgres.host,
    PGPORT: String(sandbox.postgres.port),
    PGUSER: sandbox.deployer.postgresUser,
  });
  const stack = new CredentialsStack(Testing.stubVersion(new App({ stackTraces: false })), {
    ...environment,
    application: APPLICATION,
  });
  const { terraform: settings, ...rest } = JSON.parse(Testing.synth(stack, true)) as {
    terraform: Record<string, unknown>;
  };
  return { ...rest, terraform: { ...settings, backend: { local: { path: "terraform.tfstate" } } } };
}
