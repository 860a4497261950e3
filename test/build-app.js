// What cdktf.json has each cdktf do first: done here, so that no two of them compile at the same time.
const { execFileSync } = require("node:child_process");
const path = require("node:path");

module.exports = () => {
  const tsc = require.resolve("typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "--build", path.join(__dirname, "..", "tsconfig.app.json")], {
    stdio: "inherit",
  });
};
