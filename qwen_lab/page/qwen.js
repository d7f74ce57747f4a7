// llama.cpp as WebAssembly, in a worker of its own below the kernel's: loaded, asked, given up.

// How many tokens an answer tells; one that says how far it has read names a token as well.
function written(text) {
  const chunks = [JSON.parse(text)].flat().filter((chunk) => !("prompt_progress" in chunk));
  return chunks.flatMap((chunk) => chunk.__verbose?.tokens ?? []).length;
}

// Whether it can answer nothing more.
const broken = (error) => String(error.message ?? error).startsWith("(ABORT)");

// What the site's lessons agree on: one of them has the Qwen at a time.
const LOCK = "qwen-lab-qwen";

// What it counts on in the same way however it rounds; and the milliseconds that it may take.
const COUNT = { prompt: "1, 2, 3, 4, 5, 6, 7,", n_predict: 5, temperature: 0 };
const COUNTED = " 8, 9";
const PATIENCE = 60_000;

// One core is left to the page.
const threads = () => (self.crossOriginIsolated ? Math.max(1, navigator.hardwareConcurrency - 1) : 1);

// Whether there is a real graphics card.
async function graphics() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return adapter && !(adapter.isFallbackAdapter ?? adapter.info?.isFallbackAdapter);
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
    this.exact = !(await graphics()) || !(await this.serves());
    if (this.exact) await this.start({ n_gpu_layers: 0 });
  }

  // Whether it is right on the graphics card: there are many kinds, and none could be tried.
  async serves() {
    try {
      await this.start({});
      let text = "";
      const take = (told) => void (text = JSON.parse(told).choices[0].text);
      const late = new Promise((_, fail) => setTimeout(fail, PATIENCE));
      await Promise.race([late, this.carry(JSON.stringify(COUNT), take)]);
      return text.startsWith(COUNTED);
    } catch (error) {
      // Another lesson has taken it.
      if (!this.wllama) throw error;
      return false;
    }
  }

  async start(where) {
    this.wllama?.exit();
    const nobody = () => {};
    const error = (text) => (this.said ||= String(text));
    // Of an error's lines only the first comes as one.
    const log = (text) => (this.said &&= `${this.said} ${text}`);
    const logger = { debug: nobody, warn: nobody, log, error };
    this.wllama = new this.Wllama({ default: this.wasm }, { logger });
    // Where a browser can do less it would ask a CDN for another program.
    this.wllama.setCompat(null);
    const settings = { ...this.settings, n_threads: threads(), ...where };
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
    // `wait.js` shows it to who waits.
    postMessage({ state: "reading" });
    const shown = (text, is_error) => {
      const tokens = !is_error && written(text);
      if (tokens) postMessage({ state: "writing", tokens });
      return tell(text, is_error);
    };
    try {
      await this.carry(body, shown);
    } catch (error) {
      if (broken(error) && this.wllama) this.leave(error);
      throw error;
    } finally {
      postMessage({ state: "over" });
    }
  }

  async carry(body, tell) {
    let asked = {};
    try {
      asked = await this.act("completion", "cmpl_req", { data_json: body, is_chat: false, files: [] });
      for (let more = true; more; ) {
        const { data_json, is_error, has_more } = await this.act("get_result", "gres_req", asked);
        const told = data_json && data_json !== "null" && tell(data_json, is_error);
        more = has_more && !told && !this.stopping;
        if (has_more && !more) await this.act("cancel", "cncl_req", asked);
      }
    } catch (error) {
      const { said } = this;
      if (broken(error) || !said || !this.wllama) throw error;
      // It cannot carry the request out, says why, and is as it was before.
      if (asked.req_id) await this.act("cancel", "cncl_req", asked);
      tell(JSON.stringify({ code: 400, message: said }), true);
    }
  }

  act(name, kind, rest) {
    this.said = "";
    const { proxy } = this.wllama;
    return Promise.race([this.gone, proxy.wllamaAction(name, { ...rest, _name: kind })]);
  }
}
