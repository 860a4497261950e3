import { times } from "../pool";
import { stacksOf, type Fleet } from "./environments";
import { FleetServers, type Load } from "./fleet-servers";

/** A way to run something, and what that took. */
export interface Measured {
  readonly what: string;
  readonly load: Load;
}

export interface DeploymentOptions {
  readonly stacks: number;
  readonly roles: number;
  /** Arguments of `cdktf deploy`, by name; each deploys stacks of its own. */
  readonly deployments: readonly (readonly [name: string, args: readonly string[]])[];
  /** How many plans run at once. */
  readonly plansAtOnce: readonly number[];
  /** Values of Terraform's `-parallelism`, for the plan of one stack. */
  readonly parallelism: readonly number[];
  readonly say: (line: string) => void;
}

export interface DeploymentResult {
  /** The first deployment of all stacks. */
  readonly deployments: readonly Measured[];
  /** Plans of all stacks, which stand as declared, and of the one that was changed. */
  readonly plans: readonly Measured[];
  /** Plans of one stack. */
  readonly parallelism: readonly Measured[];
  readonly versions: Readonly<Record<string, string>>;
}

/** Deploys parts of a fleet to the servers of one sandbox, and plans what stands there. */
export async function deployFleet(options: DeploymentOptions): Promise<DeploymentResult> {
  const { stacks, roles, say } = options;
  const servers = await FleetServers.start(say);
  try {
    const measure = async (what: string, work: () => Promise<unknown>): Promise<Measured> => {
      say(what);
      const load = await servers.during(work);
      say(JSON.stringify(load));
      return { what, load };
    };

    const deployments: Measured[] = [];
    for (const [index, [name, args]] of options.deployments.entries()) {
      const fleet = { name: `fleet${index + 1}`, stacks, roles };
      const deploy = () => servers.cdktf(fleet, "deploy", "*", "--auto-approve", ...args);
      deployments.push(await measure(name, deploy));
    }

    const fleet: Fleet = { name: "fleet1", stacks, roles };
    const names = stacksOf(fleet);
    const first = names[0]!;
    const parallelism: Measured[] = [];
    for (const value of options.parallelism) {
      const work = () => servers.plan(fleet, first, `-parallelism=${value}`);
      parallelism.push(await measure(String(value), work));
    }

    const plans: Measured[] = [];
    for (const count of options.plansAtOnce) {
      const work = () => times(stacks, count, (index) => servers.plan(fleet, names[index]!));
      plans.push(await measure(`all ${stacks} stacks, ${atOnce(count)}`, work));
    }
    const changed = { ...fleet, changed: true };
    await servers.cdktf(changed, "synth");
    plans.push(await measure("the changed stack", () => servers.plan(changed, first)));
    plans.push(
      await measure("the changed stack, by `cdktf diff`", () => servers.cdktf(changed, "diff", first)),
    );
    return { deployments, plans, parallelism, versions: servers.versions };
  } finally {
    await servers.stop();
  }
}

function atOnce(count: number): string {
  return count === 1 ? "one after the other" : `${count} at once`;
}
