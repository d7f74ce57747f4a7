// Offers the Qwen for this browser, and says how far it is; every such place in every tab the same.
// `weights.js`, the page's worker, does the work, which goes on whatever becomes of this place.

const MB = 1e6;
const TOPIC = "qwen-weights";
const MAIN = { none: "fetch", fetching: "pause", offline: "pause" };
const DONE = ["kept", "unable", "other_browser"];
const HELD = ["cut", "refused", "full"];
const FAILED = [...HELD, "tampered", "broken"];
const ORDER = { fetch: "fetch", pause: "pause", go_on: "fetch" };

function worker(root) {
  if (!globalThis.qwenWeights) {
    const made = new Worker(new URL("qwen-weights.js", new URL(root, location.href)));
    for (const change of ["online", "offline"]) {
      addEventListener(change, () => made.postMessage(change));
    }
    globalThis.qwenWeights = made;
  }
  return globalThis.qwenWeights;
}

function inMegabytes({ at = 0, size, ...others }) {
  const whole = (bytes) => counted(Math.round(bytes / MB));
  return { ...others, done: whole(at), size: whole(size), need: whole(size - at) };
}

function offer(el, words, root) {
  const box = make(el, "div", "qwen-view qwen-weights", "", { role: "group", tabindex: "-1" });
  Object.assign(box, { ariaLabel: words.name, lang: words.lang });
  box.hidden = true;
  const status = make(box, "p", "", "", { role: "status" });
  const line = make(box, "div", "line");
  const bar = make(line, "progress", "", "", { "aria-label": words.name });
  const figures = make(line, "span", "figures");
  const row = make(box, "div", "line");
  const main = button(row, "main", "", () => {
    // Else a browser that runs out of room may forget what was fetched.
    if (main.order !== "pause") navigator.storage.persist?.();
    // What was chosen last holds for the pages that come after this one, too.
    localStorage.setItem(TOPIC, ORDER[main.order]);
    work.postMessage(ORDER[main.order]);
  });
  const away = button(row, "", words.remove, () => {
    if (!confirm(words.sure)) return;
    localStorage.removeItem(TOPIC);
    work.postMessage("remove");
  });
  const channel = new BroadcastChannel(TOPIC);
  const work = worker(root);

  function left(seconds) {
    if (seconds === undefined) return "";
    return seconds < 60 ? words.soon : fill(words.left, { minutes: Math.ceil(seconds / 60) });
  }

  function show(told) {
    const values = inMegabytes(told);
    box.hidden = false;
    box.classList.toggle("qwen-failed", FAILED.includes(told.state));
    const held = told.at > 0 && HELD.includes(told.state) ? words.held : "";
    const sentence = fill(words[told.state], values) + held;
    // A screen reader reads what is new, and not how far it is four times a second.
    if (status.textContent !== sentence) status.textContent = sentence;
    line.hidden = !(told.at > 0 || told.state === "fetching");
    bar.max = told.size;
    bar.value = told.at ?? 0;
    figures.textContent = [fill(words.figures, values), left(told.left)].filter(Boolean).join(words.phrases);
    bar.setAttribute("aria-valuetext", figures.textContent);
    const active = document.activeElement;
    main.order = MAIN[told.state] ?? "go_on";
    main.classList.toggle("main", main.order !== "pause");
    main.hidden = DONE.includes(told.state);
    main.textContent = fill(words[`do_${main.order}`], values);
    away.hidden = !(told.state === "kept" || (main.order === "go_on" && told.at > 0));
    // A button that is gone takes the focus with it.
    if ([main, away].includes(active) && active.hidden) box.focus();
  }

  channel.onmessage = ({ data }) => {
    if (data.state) show(data);
    // The page that fetched was left or closed: this one goes on.
    if (data.state === "paused" && localStorage.getItem(TOPIC) === "fetch") work.postMessage("fetch");
  };
  work.postMessage("look");
  return () => channel.close();
}

// In a lesson; the folder that the site lies in is the one above JupyterLab's page.
export default {
  render: ({ model, el }) => offer(el, model.get("words"), "../"),
};
