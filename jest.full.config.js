// What `npm test` tries a fast cut of, in full: more servers, more cases.
process.env.TEST_FULL = "1";

/** @type {import("jest").Config} */
module.exports = require("./jest.config.js");
