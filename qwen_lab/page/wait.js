// What a learner waits for, in a line at the foot of the page: Python, which starts, and the Qwen in
// this page, which reads and writes. Before it stand PYTHON, the address of the kernel's worker, and
// WORDS, by language.

const words = WORDS[/path=zh\//.test(location.search) ? "zh" : "en"];
// Milliseconds from one telling to the next; what is over sooner isn't told at all.
const PACE = 1000;
const running = new Set();

// JupyterLite's kernels hear of no Stop, so the workers do; seldom more than one is waited for.
const stopPython = () => running.forEach((worker) => worker.postMessage({ stop: true }));

const place = document.createElement("div");
place.className = "qwen-lab-wait";

// Show what this worker says: its `state`, how many `tokens` are new, the `reason` of a failure.
function follow(worker) {
  const box = document.createElement("p");
  const part = (kind) => box.appendChild(document.createElement(kind));
  const [sentence, figures] = [part("span"), part("small")];
  // A screen reader reads what is new, and not each second.
  sentence.role = "status";
  let [state, began, written, beat, why] = ["", 0, 0, null, ""];

  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function show() {
    const seconds = (performance.now() - began) / 1000;
    const pace = ((written - 1) / seconds).toFixed(1);
    const text = filled(words[state], { why });
    if (sentence.textContent !== text) sentence.textContent = text;
    figures.textContent = filled(words[written > 1 ? "pace" : "time"], {
      seconds: Math.round(seconds), written, pace,
    });
    figures.hidden = state === "failed";
    box.className = state === "failed" ? "qwen-view qwen-failed" : "";
    if (!place.isConnected) document.body.append(place);
    if (!box.isConnected) place.append(box);
  }

  function end() {
    clearInterval(beat);
    beat = null;
    box.remove();
  }

  function take(told) {
    if (told.state !== state) [state, began, written] = [told.state, performance.now(), 0];
    written += told.tokens ?? 0;
    if (!words[state] || state === "failed") end();
    else beat ??= setInterval(show, PACE);
    if (state !== "failed") return;
    why = told.reason.slice(0, 300);
    show();
  }

  const stop = worker.terminate;
  worker.terminate = () => (end(), running.delete(worker), stop.call(worker));
  running.add(worker);
  worker.addEventListener("message", ({ data }) => data.state && take(data));
  worker.addEventListener("error", ({ message }) => take({ state: "failed", reason: message || PYTHON }));
  take({ state: "starting" });
  return worker;
}

const begun = [follow(new Worker(PYTHON, { type: "module" }))];
// The kernel takes the worker that began beside JupyterLab; another kernel gets one of its own.
globalThis.beginPython = (url) => begun.pop() ?? follow(new Worker(url, { type: "module" }));
