// Keeps the site in the browser, so that it opens without a network: before it stand NAME, which is
// another for every site that differs, and FILES, all that the site has. What the Qwen needs is kept
// when it is first asked for.

const ROOT = new URL(".", location.href).pathname;
const KNOWN = new Set(FILES);
const LATER = "static/wllama/";
let keeping = null;

// What a browser has from before the site was renewed, it asks for again.
const fresh = (file) => new Request(ROOT + file, { cache: "no-cache" });

async function keep() {
  // The first lesson comes first.
  await new Promise((done) => setTimeout(done, 20_000));
  const cache = await caches.open(NAME);
  for (const file of FILES.filter((file) => !file.startsWith(LATER))) {
    if (!(await cache.match(ROOT + file))) await cache.add(fresh(file));
  }
}

async function answer(file, request) {
  const cache = await caches.open(NAME);
  let found = await cache.match(ROOT + file);
  if (!found && file.startsWith(LATER)) {
    // Where there is no room left to keep it, it comes all the same.
    await cache.add(fresh(file)).catch(() => {});
    found = await cache.match(ROOT + file);
  }
  return found || fetch(request);
}

async function forget() {
  const others = (await caches.keys()).filter((name) => name.startsWith("qwen-lab") && name !== NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
}

self.addEventListener("activate", (event) => event.waitUntil(forget()));

self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  // Its weights, and what other hosts have, are fetched as if there were no worker.
  if (origin !== location.origin || pathname.startsWith(`${ROOT}qwen/`)) {
    return event.stopImmediatePropagation();
  }
  const file = pathname.slice(ROOT.length).replace(/(^|\/)$/, "$1index.html");
  if (event.request.method !== "GET" || !KNOWN.has(file)) return;
  // JupyterLite's own worker has the rest: what the kernel asks of the learner's files.
  event.stopImmediatePropagation();
  event.respondWith(answer(file, event.request));
  // Behind the page, which shall not wait for it; what failed is tried at the next request.
  keeping ??= keep().catch(() => (keeping = null));
  event.waitUntil(keeping);
});

importScripts("jupyterlite-worker.js");
