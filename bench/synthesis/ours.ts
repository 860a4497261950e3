import { App } from "cdktf";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { environmentOf } from "./environments";

const [folder = "", environments = "", roles = ""] = process.argv.slice(2);
const app = new App({ outdir: folder });
for (let number = 1; number <= Number(environments); number++) {
  new CredentialsStack(app, environmentOf(`e${number}`, Number(roles)));
}
app.synth();
