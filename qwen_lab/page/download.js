// The file that WEIGHTS is about, as it comes: piece after piece, over connections that may break.
//
// WEIGHTS stands before it: the file's `name` and `size`, how many bytes a `piece` has, the `sha256`
// of each, and the file's `url`, or null where the site itself has the pieces.

const { name, size, piece, sha256, url } = WEIGHTS;
// Milliseconds without a byte until a connection is given up.
const PATIENCE = 30_000;

let reached = 0; // How many bytes have come.
let paused = false;
let online = navigator.onLine;
let interrupt = () => {};

// An error that `told` says in the words of its state, with these values.
function trouble(state, values) {
  return Object.assign(new Error(state), { told: [state, values] });
}

const length = (index) => Math.max(0, Math.min(piece, size - index * piece));

// Where the bytes from here on are: an address, and which of the file's bytes is its first.
function source(from) {
  if (url) return [url, 0];
  const index = Math.floor(from / piece);
  return [new URL(`qwen/${sha256[index].slice(0, 16)}.bin`, location.href).href, index * piece];
}

const host = () => new URL(source(0)[0]).host;

// One answer of the server, as far as it comes; of one that sends all from its first byte on, the rest.
async function* answer(from) {
  const [address, first] = source(from);
  const connection = new AbortController();
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => connection.abort(), PATIENCE);
  };
  interrupt = () => connection.abort();
  wait();
  try {
    const response = await fetch(address, {
      // A browser that kept the answers, too, would need the room twice.
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: connection.signal,
      headers: from > first ? { Range: `bytes=${from - first}-` } : {},
    });
    if (!response.ok) throw trouble("refused", { host: host(), status: response.status });
    let spare = response.status === 206 ? 0 : from - first;
    const reader = response.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      wait();
      const rest = read.value.subarray(Math.min(spare, read.value.length));
      spare -= read.value.length - rest.length;
      yield rest;
    }
  } finally {
    clearTimeout(timer);
    connection.abort();
  }
}

// The file from here on. A broken connection is made anew, unless two in a row bring nothing.
async function* bytes(from) {
  let idle = 0;
  while (from < size) {
    if (!online) await network();
    if (paused) throw trouble("paused", {});
    const before = from;
    try {
      for await (const chunk of answer(from)) {
        const rest = chunk.subarray(0, size - from);
        from += rest.length;
        yield rest;
        if (from === size) return;
      }
    } catch (error) {
      if (!(error instanceof TypeError) && error.name !== "AbortError") throw error;
    }
    idle = from === before && online ? idle + 1 : 0;
    if (idle > 1 && !paused) throw trouble("cut", { host: host() });
  }
}

// Waits until there is a network again.
async function network() {
  tell("offline", { at: reached });
  await new Promise((go) => (interrupt = go));
  tell("fetching", { at: reached });
}

// Each piece from this one on, as soon as it is whole.
async function* pieces(index) {
  const held = new Uint8Array(piece);
  let filled = 0;
  reached = index * piece;
  for await (let chunk of bytes(index * piece)) {
    reached += chunk.length;
    while (chunk.length) {
      const part = chunk.subarray(0, length(index) - filled);
      held.set(part, filled);
      filled += part.length;
      chunk = chunk.subarray(part.length);
      if (filled < length(index)) break;
      yield held.subarray(0, filled);
      index += 1;
      filled = 0;
    }
  }
}

// Else a connection whose network is gone would be waited for.
function connected(now) {
  online = now;
  interrupt();
}
