// Applies a configuration with the stand-ins or with the real plugins, and compares what comes of it.
import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { takeParitySnapshot, type ParityServers, type ParitySnapshot } from "./parity-snapshot";

export interface WorkspaceOptions {
  /** Path of Terraform or OpenTofu. */
  readonly terraform: string;
  /** Folder of its own, for the configuration, the state, and what Terraform keeps. */
  readonly directory: string;
  /** What chooses the plugins, such as `env` of `chooseProviders`, and the variables of the configuration. */
  readonly environment: Readonly<Record<string, string>>;
}

/** One kind of plugins on one configuration and state. */
export class ParityWorkspace {
  public constructor(private readonly options: WorkspaceOptions) {}

  private get stateFile(): string {
    return join(this.options.directory, "terraform.tfstate");
  }

  public async configure(configuration: unknown): Promise<void> {
    await mkdir(this.options.directory, { recursive: true });
    await writeFile(join(this.options.directory, "cdk.tf.json"), JSON.stringify(configuration, null, 2));
    await this.terraform("init", "-input=false");
  }

  public async apply(): Promise<void> {
    await this.terraform("apply", "-auto-approve", "-input=false");
  }

  public async destroy(): Promise<void> {
    await this.terraform("destroy", "-auto-approve", "-input=false");
  }

  /** What a plan would do, by address: none of what it only reads. Empty where nothing is to change. */
  public async plannedChanges(): Promise<Record<string, string>> {
    const plan = join(this.options.directory, "plan");
    await this.terraform("plan", "-input=false", `-out=${plan}`);
    const { resource_changes: changes } = JSON.parse(await this.terraform("show", "-json", plan)) as {
      resource_changes?: {
        address: string;
        change: { actions: string[]; before: unknown; after: unknown };
      }[];
    };
    return Object.fromEntries(
      (changes ?? [])
        .filter(({ change }) => change.actions.join() !== "no-op")
        .map(({ address, change }) => [address, describeChange(change)]),
    );
  }

  /** Forgets the state, and takes in what stands by its id. */
  public async importAnew(ids: Readonly<Record<string, string>>): Promise<void> {
    await rm(this.stateFile, { force: true });
    for (const [address, id] of Object.entries(ids)) {
      await this.terraform("import", "-input=false", address, id);
    }
  }

  public async restore(stateText: string): Promise<void> {
    await writeFile(this.stateFile, stateText);
  }

  /** Goes on from where another workspace is. */
  public async takeOver(from: ParityWorkspace): Promise<void> {
    await copyFile(from.stateFile, this.stateFile);
  }

  /** Attributes by address, as they stand in the state file. */
  public async state(): Promise<Record<string, Record<string, unknown>>> {
    const { resources } = JSON.parse(await readFile(this.stateFile, "utf8")) as {
      resources: { type: string; name: string; instances: { attributes: Record<string, unknown> }[] }[];
    };
    return Object.fromEntries(
      resources.map(({ type, name, instances }) => [`${type}.${name}`, instances[0]?.attributes ?? {}]),
    );
  }

  public async stateText(): Promise<string> {
    return readFile(this.stateFile, "utf8");
  }

  public async terraform(...args: readonly string[]): Promise<string> {
    const { terraform, directory, environment } = this.options;
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, CHECKPOINT_DISABLE: "1", ...environment };
    return new Promise((resolve, reject) => {
      execFile(
        terraform,
        [args[0] ?? "", ...(args[0] === "show" ? [] : ["-no-color"]), ...args.slice(1)],
        { cwd: directory, env, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          error ? reject(new Error(`terraform ${args[0]}: ${stderr || stdout}`)) : resolve(stdout),
      );
    });
  }
}

/** Applies the configuration and says what then stands in the servers. */
export async function applyAndSnapshot(
  workspace: ParityWorkspace,
  configuration: unknown,
  servers: ParityServers,
  prefix: string,
): Promise<ParitySnapshot> {
  await workspace.configure(configuration);
  await workspace.apply();
  return takeParitySnapshot(servers, prefix);
}

/** What the server draws at random, and differs between two deployments. */
const RANDOM = ["accessor", "role_id"];

/** States as far as two deployments of the same configuration have to agree in them. */
export function comparableState(
  state: Record<string, Record<string, unknown>>,
): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(state).map(([address, attributes]) => [
      address,
      Object.fromEntries(
        Object.entries(attributes)
          .filter(([name]) => !RANDOM.includes(name))
          // A secret's: null after it was made and empty after it was changed, which no plan tells apart.
          .map(([name, value]) => [name, name === "custom_metadata" ? (value ?? []) : value]),
      ),
    ]),
  );
}

/** The actions with the attributes that change, so that two plans can be compared without their values. */
function describeChange({
  actions,
  before,
  after,
}: {
  actions: string[];
  before: unknown;
  after: unknown;
}): string {
  if (actions.join() !== "update") {
    return actions.join();
  }
  const [old, wanted] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const changed = Object.keys({ ...old, ...wanted }).filter(
    (name) => JSON.stringify(old[name]) !== JSON.stringify(wanted[name]),
  );
  return `update ${changed.sort().join(", ")}`;
}
