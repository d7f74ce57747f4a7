// llama.cpp as WebAssembly, in a worker of its own below the kernel's: loaded, asked, given up.

// How many tokens an answer tells; one that says how far it has read names a token as well.
function written(text) {
  const chunks = [JSON.parse(text)].flat().filter((chunk) => !("prompt_progress" in chunk));
  return chunks.flatMap((chunk) => chunk.__verbose?.tokens ?? []).length;
}

// What the site's lessons agree on: one of them has the Qwen at a time.
const LOCK = "qwen-lab-qwen";

// One core is left to the page, and the graphics card is used where there is a real one.
async function resources() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const graphics = adapter && !(adapter.isFallbackAdapter ?? adapter.info?.isFallbackAdapter);
  const cores = self.crossOriginIsolated ? navigator.hardwareConcurrency - 1 : 1;
  return { n_threads: Math.max(1, cores), ...(graphics ? {} : { n_gpu_layers: 0 }) };
}

export class Qwen {
  // `Wllama` is the package's class, `wasm` its program's address, `file` the weights, a `Blob`.
  // Once loaded, `exact` says whether a prompt from the cache gives the same as one read afresh.
  constructor(Wllama, wasm, file, settings) {
    Object.assign(this, { Wllama, wasm, file, settings, loading: null, said: "", stopping: false });
  }

  // Once; or again, after another lesson has taken it.
  load() {
    this.loading ??= this.begin().catch((error) => {
      this.leave(error);
      throw error;
    });
    return this.loading;
  }

  async begin() {
    this.gone = new Promise((_, fail) => (this.lose = fail));
    this.gone.catch(() => {});
    const lose = this.lose;
    await new Promise((taken) => {
      const hold = () => new Promise((free) => ((this.free = free), taken()));
      const lost = () => this.lose === lose && this.leave(new Error("taken"));
      navigator.locks.request(LOCK, { steal: true }, hold).catch(lost);
    });
    const nobody = () => {};
    const error = (text) => (this.said ||= String(text));
    // Of an error's lines only the first comes as one.
    const log = (text) => (this.said &&= `${this.said} ${text}`);
    const logger = { debug: nobody, warn: nobody, log, error };
    this.wllama = new this.Wllama({ default: this.wasm }, { logger });
    // Where a browser can do less it would ask a CDN for another program.
    this.wllama.setCompat(null);
    const settings = { ...this.settings, ...(await resources()) };
    this.exact = settings.n_gpu_layers === 0;
    await Promise.race([this.gone, this.wllama.loadModel([this.file], settings)]);
  }

  // Give the worker and its memory up; who waits for it fails with this error.
  leave(error) {
    this.wllama?.exit();
    this.wllama = this.loading = null;
    this.lose(error);
    this.free?.();
  }

  // Ask, and tell each answer as a text, until one is answered with true, `stopping` is set, or none
  // follows.
  async ask(body, tell) {
    await this.load();
    let asked = {};
    // `wait.js` shows it to who waits.
    postMessage({ state: "reading" });
    try {
      asked = await this.act("completion", "cmpl_req", { data_json: body, is_chat: false, files: [] });
      for (let more = true; more; ) {
        const { data_json, is_error, has_more } = await this.act("get_result", "gres_req", asked);
        const says = data_json && data_json !== "null";
        const tokens = says && !is_error && written(data_json);
        if (tokens) postMessage({ state: "writing", tokens });
        const told = says && tell(data_json, is_error);
        more = has_more && !told && !this.stopping;
        if (has_more && !more) await this.act("cancel", "cncl_req", asked);
      }
    } catch (error) {
      const { said } = this;
      const broken = String(error.message ?? error).startsWith("(ABORT)");
      if (broken && this.wllama) this.leave(error);
      if (broken || !said || !this.wllama) throw error;
      // It cannot carry the request out, says why, and is as it was before.
      if (asked.req_id) await this.act("cancel", "cncl_req", asked);
      tell(JSON.stringify({ code: 400, message: said }), true);
    } finally {
      postMessage({ state: "over" });
    }
  }

  act(name, kind, rest) {
    this.said = "";
    const { proxy } = this.wllama;
    return Promise.race([this.gone, proxy.wllamaAction(name, { ...rest, _name: kind })]);
  }
}
