// Loaded into a process that is measured: says at its end which module was loaded by which and how long that took without
// those that it loaded itself, and when the app was made, synthesized and done. Milliseconds since the process began.
const { Module } = require("node:module");
const { performance } = require("node:perf_hooks");
const process = require("node:process");

const modules = [];
const marks = {};
const loading = [];
const load = Module.prototype.load;

Module.prototype.load = function (file) {
  const began = performance.now();
  marks.load ??= began;
  const own = { file, nested: 0 };
  loading.push(own);
  try {
    return load.call(this, file);
  } finally {
    loading.pop();
    const took = performance.now() - began;
    const outer = loading.at(-1);
    if (outer !== undefined) outer.nested += took;
    modules.push({ file, by: outer?.file, began, ms: took - own.nested });
    if (/[\\/]cdktf[\\/]lib[\\/]app\.js$/.test(file)) watch(this.exports);
  }
};

function watch(exported) {
  const { App } = exported;
  const synth = App.prototype.synth;
  App.prototype.synth = function () {
    marks.synth = performance.now();
    synth.call(this);
    marks.done = performance.now();
  };
  exported.App = new Proxy(App, {
    construct(target, args, made) {
      marks.app ??= performance.now();
      return Reflect.construct(target, args, made);
    },
  });
}

process.on("exit", () => {
  marks.exit = performance.now();
  process.stderr.write(`\nPHASES ${JSON.stringify({ modules, marks })}\n`);
});
