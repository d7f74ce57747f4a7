// The Qwen's weights in this browser, kept as far as they are right; `download.js` stands before it.
//
// A worker, for only there a file is written where it lies. One of them fetches, in whichever tab,
// and what it tells is heard in all.

const BEGUN = `${name}.partial`;
const TOPIC = "qwen-weights";
// Milliseconds from one telling of how far it is to the next.
const PACE = 250;

const channel = new BroadcastChannel(TOPIC);
let latest = ["none", {}]; // What was told last, here or in another tab.
let begin = { at: 0, time: 0 }; // When this fetching began, and how many bytes were there.
let following = false;
let fetching = false;

function tell(state, values = {}) {
  latest = [state, values];
  channel.postMessage({ state, size, ...values });
}

async function digest(bytes) {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...found].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function folder() {
  return (await navigator.storage.getDirectory()).getDirectoryHandle("qwen", { create: true });
}

// How many bytes of a file there are; null without that file.
async function there(file) {
  try {
    return (await (await (await folder()).getFileHandle(file)).getFile()).size;
  } catch (error) {
    if (error.name === "NotFoundError") return null;
    throw error;
  }
}

// Tells how far it is, and about how many seconds are left.
function progress() {
  if (latest[0] !== "fetching") return;
  const pace = (reached - begin.at) / (performance.now() - begin.time);
  tell("fetching", { at: reached, left: pace ? (size - reached) / pace / 1000 : undefined });
}

async function isRight(bytes, index) {
  return (await digest(bytes)) === sha256[index];
}

// How many pieces are kept. A computer that fell over may have cut the last ones, or left them empty.
async function begun(file) {
  let whole = file.getSize() >= size ? sha256.length : Math.floor(file.getSize() / piece);
  for (; whole > 0; whole -= 1) {
    const last = new Uint8Array(length(whole - 1));
    file.read(last, { at: (whole - 1) * piece });
    if (await isRight(last, whole - 1)) break;
  }
  return whole;
}

// Writes what is missing, and nothing whose SHA-256 is wrong; a piece that is gets one more try.
async function fill(file) {
  let done = await begun(file);
  // Whether there is room for all of it: browsers tell no true number, and not all throw an error.
  file.truncate(size);
  if (file.getSize() !== size) throw trouble("full", {});
  file.truncate(done * piece);
  begin = { at: done * piece, time: performance.now() };
  for (let wrong = 0; done < sha256.length; ) {
    for await (const held of pieces(done)) {
      if (!(await isRight(held, done))) {
        wrong += 1;
        if (wrong > 1) throw trouble("tampered", { host: host() });
        break;
      }
      if (file.write(held, { at: done * piece }) !== held.length) throw trouble("full", {});
      file.flush();
      done += 1;
      wrong = 0;
    }
  }
}

async function complete() {
  const begunFile = await (await folder()).getFileHandle(BEGUN, { create: true });
  const file = await begunFile.createSyncAccessHandle();
  try {
    await fill(file);
  } finally {
    file.close();
  }
  // Only what is whole and right ever has the name by which it is used.
  await begunFile.move(name);
}

async function get(lock) {
  if (!lock || (await there(name)) !== null) return look();
  fetching = true;
  paused = false;
  tell("fetching", { at: (await there(BEGUN)) ?? 0 });
  let over = ["kept", {}];
  const beat = setInterval(progress, PACE);
  try {
    await complete();
  } catch (error) {
    over = error.told ?? ["broken", { reason: String(error) }];
    if (error.name === "QuotaExceededError") over = ["full", {}];
    over[1].at = (await there(BEGUN)) ?? 0;
  }
  clearInterval(beat);
  fetching = false;
  tell(...over);
}

async function clear(lock) {
  const place = await folder();
  for (const file of lock ? [name, BEGUN] : []) {
    if ((await there(file)) !== null) await place.removeEntry(file);
  }
}

// Tells what there is; another tab that fetches is asked to tell it.
async function look() {
  if (fetching) return tell(...latest);
  // The kernel waits for the Qwen within a call, which not every browser can.
  if (!WebAssembly.Suspending) return tell("other_browser");
  try {
    if ((await there(name)) !== null) return tell("kept");
    const { held } = await navigator.locks.query();
    if (held.some((lock) => lock.name === TOPIC)) return channel.postMessage("tell");
    const at = await there(BEGUN);
    tell(at ? "paused" : "none", { at: at ?? 0 });
  } catch {
    // Over plain http, and in some browsers' private windows, there is nothing to keep a file in.
    tell("unable");
  }
}

const locked = (work) => navigator.locks.request(TOPIC, { ifAvailable: true }, work);
const busy = () => ["fetching", "offline"].includes(latest[0]);

// The tab that fetches may be closed: then what it leaves is told here.
async function follow() {
  if (following) return;
  following = true;
  await navigator.locks.request(TOPIC, () => {});
  following = false;
  if (busy()) await look();
}

function hold() {
  if (!fetching) return channel.postMessage("pause");
  paused = true;
  interrupt();
}

channel.onmessage = ({ data }) => {
  if (data === "tell" || data === "pause") return fetching && { tell: look, pause: hold }[data]();
  latest = [data.state, data];
  if (busy()) follow();
};

const ORDERS = {
  look,
  pause: hold,
  fetch: () => locked(get),
  remove: () => locked(clear).then(look),
  offline: () => connected(false),
  online: () => connected(true),
};

onmessage = ({ data }) => ORDERS[data]();
