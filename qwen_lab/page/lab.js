// JupyterLab in the page, for a learner with a tablet too; before it stand the words for HOME.

const NARROW = matchMedia("(max-width: 800px)");
const STOP = "notebook:interrupt-kernel";
// Milliseconds in which the click comes that a tap ends with.
const SOON = 1000;

// A menu goes by where the pointer moved last, and a finger that taps moves nowhere. By the time of
// the click the menu is gone, and it would be for what lay below.
function tapped(event) {
  const item = event.pointerType === "touch" && event.target.closest(".lm-Menu-item");
  if (!item) return;
  const { clientX, clientY } = event;
  item.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX, clientY }));
  const lost = (click) => (click.preventDefault(), click.stopPropagation());
  addEventListener("click", lost, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", lost, { capture: true }), SOON);
}

// JupyterLab opens its list of files more than once at the beginning, until somebody does something.
function closeList({ shell, commands: { commandExecuted } }) {
  const close = (_, { id }) => id === "filebrowser:activate" && shell.collapseLeft();
  const leave = () => commandExecuted.disconnect(close);
  shell.collapseLeft();
  commandExecuted.connect(close);
  for (const act of ["pointerdown", "keydown"])
    addEventListener(act, leave, { capture: true, once: true });
}

// Python begins anew with the page, and a cell's number says that it has run there.
function unnumber(shell) {
  const seen = new WeakSet();
  const look = () => {
    for (const { context, content } of shell.widgets("main")) {
      if (!content?.model?.cells || seen.has(content)) continue;
      seen.add(content);
      context.ready.then(() => {
        for (const cell of content.model.cells) if (cell.type === "code") cell.executionCount = null;
      });
    }
  };
  shell.layoutModified.connect(look);
  look();
}

// What was open before would open again beside the lesson that is asked for. Its notebook is kept.
async function forget() {
  const found = (await indexedDB.databases?.()) ?? [];
  for (const { name } of found.filter((each) => each.name.startsWith("JupyterLite Storage"))) {
    const asked = indexedDB.open(name);
    asked.onsuccess = () => {
      const { result } = asked;
      for (const store of result.objectStoreNames)
        if (store === "statedb") result.transaction(store, "readwrite").objectStore(store).clear();
      result.close();
    };
  }
}

function ready(app) {
  const save = () => app.commands.execute("docmanager:save-all");
  if (NARROW.matches) closeList(app);
  unnumber(app.shell);
  app.commands.commandExecuted.connect((_, { id }) => id === STOP && stopPython());
  // Behind another page a tablet may end this one.
  document.addEventListener("visibilitychange", () => document.hidden && save());
  const home = document.createElement("a");
  Object.assign(home, { href: "../", textContent: "⌂", title: HOME, ariaLabel: HOME });
  home.onclick = async (event) => {
    event.preventDefault();
    await save();
    location.href = home.href;
  };
  document.getElementById("jp-MainLogo").replaceChildren(home);
}

if (location.search.includes("path=")) forget();
// anywidget takes a widget for dead whose script needs longer than two seconds to begin; a slow
// tablet that runs a whole lesson needs longer.
const { timeout } = AbortSignal;
AbortSignal.timeout = (least) => timeout.call(AbortSignal, Math.max(least, 60_000));
addEventListener("pointerdown", tapped, { capture: true });
// JupyterLite sets it when it begins.
Object.defineProperty(window, "jupyterapp", { set: (app) => app.restored.then(() => ready(app)) });
