// Stands before the script of the kernel's worker, which takes Python from `begun`: it begins with
// the worker, not when JupyterLab has come so far, and imports what every lesson imports.

const SITE = new URL("../../../../", location.href).href;
const KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel";
const LAB = ["pyodide_kernel", "qwen_lab.connection", "qwen_lab.page.kernel", "qwen_lab.page.weights"];
const MODULES = [...LAB, "openai.resources.chat.completions"];

// How often Stop was pressed: while a call waits, `loop.py` looks.
globalThis.stops = 0;
addEventListener("message", ({ data }) => data?.stop && globalThis.stops++);

async function begin() {
  const { loadPyodide } = await import(`${SITE}static/pyodide/pyodide.mjs`);
  const told = await (await fetch(`${SITE}jupyter-lite.json`)).json();
  const options = told["jupyter-config-data"].litePluginSettings[KERNEL].loadPyodideOptions;
  for (const name of ["lockFileURL", "stdLibURL"]) options[name] = SITE + options[name];
  const python = await loadPyodide(options);
  await python.runPythonAsync(MODULES.map((name) => `__import__("${name}")`).join("\n"));
  return python;
}

// Where its program doesn't come Pyodide says so on the console alone, and waits on.
const lost = new Promise((_, fail) => {
  const { instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = (...given) => {
    const made = instantiateStreaming(...given);
    made.catch(fail);
    return made;
  };
});

const begun = Promise.race([begin(), lost]);
begun.then(
  () => postMessage({ state: "ready" }),
  // Of Python's errors the last line tells what is wrong.
  ({ message }) => postMessage({ state: "failed", reason: message.trim().split("\n").at(-1) }),
);
