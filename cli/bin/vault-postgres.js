#!/usr/bin/env node
// The sources are TypeScript, which tsx reads; where the package was compiled, that is not needed.
const fs = require("node:fs");
const path = require("node:path");

if (!fs.existsSync(path.join(__dirname, "..", "main.js"))) require("tsx/cjs");
require("../main").start();
