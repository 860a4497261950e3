#!/usr/bin/env node
// In a checkout the sources are TypeScript, which tsx reads; the package has them compiled.
const fs = require("node:fs");
const path = require("node:path");

const sources = fs.existsSync(path.join(__dirname, "..", "main.ts"));
if (sources) require("tsx/cjs");
require(sources ? "../main" : "../../dist/cli/main").start();
