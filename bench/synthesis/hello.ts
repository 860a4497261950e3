import { App, TerraformOutput, TerraformStack } from "cdktf";

const app = new App({ outdir: process.argv[2] });
new TerraformOutput(new TerraformStack(app, "hello"), "hello", { value: "world" });
app.synth();
