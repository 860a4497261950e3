/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  globalSetup: "<rootDir>/test/build-app.js",
  // Servers for the full set, with packages of their own.
  modulePathIgnorePatterns: ["<rootDir>/test/servers"],
  testMatch: ["**/*.test.ts"],
  transform: { "^.+\\.ts$": ["ts-jest", { diagnostics: false }] },
  moduleFileExtensions: ["ts", "js", "json"],
  testTimeout: 20_000,
  // End-to-end tests mostly wait for servers and Terraform, so even two cores serve two of them.
  maxWorkers: 2,
};
