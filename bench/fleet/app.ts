import { App } from "cdktf";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { environmentsOf } from "./environments";

/** The app of a part of a fleet, for cdktf. */
const [name = "", stacks = "", roles = "", changed = ""] = process.argv.slice(2);
const app = new App();
const fleet = { name, stacks: Number(stacks), roles: Number(roles), changed: changed === "changed" };
for (const environment of environmentsOf(fleet, process.env)) new CredentialsStack(app, environment);
app.synth();
