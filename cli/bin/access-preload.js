// Loaded into the user's app by `vault-postgres access`, see cli/app-access.ts: when the process has ended well, writes what
// the constructs of its stacks say of access. Plain JavaScript, for the app may run by any loader.
const fs = require("node:fs");
const path = require("node:path");

const STACK = Symbol.for("cdktf/TerraformStack");
const stacks = new Set();
let read;

globalThis[Symbol.for("cdktf-database-credentials.access-watcher")] = (construct, accessOf) => {
  const stack = construct.node.scopes.findLast((scope) => STACK in scope);
  if (stack !== undefined) stacks.add(stack);
  read = accessOf;
};

process.on("exit", (code) => {
  if (code !== 0 || stacks.size === 0) return;
  const found = [...stacks].map((stack) => {
    // An environment's groups are stacks of their own, and part of it.
    const groups = Array.isArray(stack.groups) ? stack.groups.filter((group) => stacks.has(group)) : [];
    const report = read(stack, ...groups);
    return { stack: stack.node.id, groups: groups.map((group) => group.node.id), report };
  });
  // An app may be more than one process.
  const file = path.join(process.env.CDKTF_DATABASE_CREDENTIALS_ACCESS, `${process.pid}.json`);
  fs.writeFileSync(file, JSON.stringify(found));
});
