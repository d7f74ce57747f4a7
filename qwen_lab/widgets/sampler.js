// The sampler in the page: what is turned moves the bars at once, by `sampling.js` before it.
// Python asks the model, keeps the branches and has the words.

// Milliseconds: how long a thousand draws fall, and when it says that it still waits for Python.
const [FALL, PATIENCE] = [2000, 2500];
// What stands for a token that is not listed.
const RARE = -1;

class Instrument {
  constructor(model, el) {
    Object.assign(this, { model, el, ...model.get("told"), line: [], stage: STAGES.length - 1 });
    this.values = model.get("values");
    this.lost = make(el, "p", "qwen-panel-hint", "", { role: "status" });
    make(el, "p", "question", this.question);
    this.written = this.group(el, "line", "answer");
    this.others = this.group(el, "tried", "tree");
    el.lang = this.words.lang;
    const desk = make(el, "div", "desk");
    this.pipeline(this.group(desk, "pipeline", "order"));
    this.scene(make(desk, "div", "scene"));
    this.meanings(make(el, "details"));
    for (const name of ["numbers", "path", "tried", "doing", "error"])
      model.on(`change:${name}`, () => this.arrived());
    model.on("change:values", () => this.turned(model.get("values")));
    // Jupyter marks a widget that it shows without a kernel, and tells when one loses its kernel.
    this.gone = el.classList.contains("jupyter-widgets-disconnected");
    model.on("comm_live_update", () => this.paint((this.gone = true)));
    this.arrived(this.gone);
  }

  group = (parent, look, name) =>
    make(parent, "div", look, "", { role: "group", "aria-label": this.words[name] });

  pipeline(parent) {
    this.inputs = {};
    this.steps = STAGES.map((name, at) => {
      const step = make(parent, "div", "step");
      const look = () => ((this.stage = at), this.paint());
      const words = this.words[`stage_${name}`];
      const head = button(step, words ? "name plain" : "name", words ?? name, look);
      head.title = this.words.look_at;
      if (this.knobs[name]) this.knob(step, name);
      const did = make(step, "span", "did");
      if (name === "penalties") PENALTIES.forEach((each) => this.knob(step, each));
      return { head, did };
    });
    const draw = make(parent, "div", "step draw");
    const many = fill(this.words.draw_many, { count: counted(this.times) });
    this.one = button(draw, "main", this.words.draw_one, () => this.take(this.next()));
    this.many = button(draw, "", many, () => this.drawMany());
    this.knob(draw, "seed");
    button(draw, "off", this.words.off, () => this.turn(this.off));
  }

  knob(parent, name) {
    const { meaning, range, ...ends } = this.knobs[name];
    const label = make(parent, "label", "knob", "", { title: meaning });
    make(label, "span", "", name);
    const slides = name !== "seed";
    const place = slides ? make(label, "span", "slide") : label;
    const type = slides ? "range" : "number";
    const input = make(place, "input", "", "", { type, ...ends, "aria-label": name });
    const scale = slides ? [ends.min, ends.max] : [];
    scale.forEach((end) => make(place, "small", "", end, { "aria-hidden": "true" }));
    // JupyterLab would take the arrows.
    input.dataset.lmSuppressShortcuts = "true";
    input.oninput = () => input.checkValidity() && this.turn({ [name]: input.valueAsNumber }, slides);
    input.onchange = () => this.paint((this.axis.held = false));
    this.inputs[name] = { input, output: make(label, "span", "value") };
  }

  scene(parent) {
    this.axis = new Axis(parent, this.words);
    this.bars = this.group(parent, "bars", "bars");
    const bar = (look) => row(this.bars, look, ({ at }) => this.take(at));
    this.rows = Array.from({ length: this.most }, () => bar("row"));
    this.rest = bar("row rest");
    this.result = make(parent, "p", "result", "", { role: "status" });
    this.look = button(parent, "main", this.words.look, () => this.send({ do: "ask" }, "asking"));
    this.error = make(parent, "p", "qwen-failed", "", { role: "alert" });
  }

  meanings(parent) {
    make(parent, "summary", "", this.words.meanings);
    const list = make(parent, "dl");
    for (const [name, { range, meaning }] of Object.entries(this.knobs)) {
      make(list, "dt", "", `${name} ${range}`);
      make(list, "dd", "", meaning);
    }
  }

  turn(values, held = false) {
    this.axis.held = held;
    this.turned({ ...this.values, ...values });
    this.model.set("values", this.values);
    this.model.save_changes();
  }

  turned(values) {
    this.values = values;
    this.forget();
    this.paint();
  }

  // Python knows more: other numbers, another place in the answer, or what it does.
  arrived(gone = false) {
    const [numbers, path, doing] = ["numbers", "path", "doing"].map((name) => this.model.get(name));
    if (numbers !== this.numbers || !same(path, this.path)) this.forget();
    if (numbers !== this.numbers) this.groups = numbers.names && groups(numbers);
    if (!begins(path, this.line)) this.line = path;
    if (!doing || !same(path, this.path)) this.picked = undefined;
    Object.assign(this, { numbers, path, doing, gone, waits: "" });
    clearTimeout(this.late);
    this.here = Boolean(this.groups) && same(numbers.path, path);
    this.error.textContent = this.model.get("error");
    const at = { tried: this.model.get("tried"), line: this.line, path };
    spell(this.written, this.others, at, (path) => this.send({ do: "go", path }, "asking"));
    this.paint();
  }

  paint() {
    for (const [name, { input, output }] of Object.entries(this.inputs)) {
      if (input.valueAsNumber !== this.values[name]) input.value = this.values[name];
      output.textContent = input.type === "range" ? this.values[name] : "";
    }
    const busy = this.gone ? "" : this.waits || this.doing;
    this.lost.textContent = this.gone ? this.words[this.here ? "kept" : "gone"] : "";
    this.lost.hidden = !this.gone;
    this.ready = this.here && !busy && !this.numbers.counting && !this.gone;
    this.el.ariaBusy = String(Boolean(busy || this.fell?.falls));
    this.bars.classList.toggle("stale", !this.here);
    this.bars.classList.toggle("falling", Boolean(this.fell));
    this.el.classList.toggle("earlier", this.stage < STAGES.length - 1);
    this.look.hidden = this.here || Boolean(busy);
    for (const asks of this.el.querySelectorAll(".line > *, .tried > *, .scene > button"))
      asks.ariaDisabled = String(Boolean(this.gone));
    this.one.ariaDisabled = String(!this.ready);
    this.many.ariaDisabled = String(!this.here || this.numbers.counting);
    // What still works stands out.
    this.many.classList.toggle("main", this.gone);
    this.told = this.groups && stages(this.groups, this.values, this.largest_top_k);
    this.axis.hidden = this.bars.hidden = !this.told;
    if (this.told) this.show(this.told);
    const name = this.steps[this.stage].head.textContent;
    const earlier = this.stage < STAGES.length - 1;
    const hint = this.gone && !earlier ? "" : fill(this.words[earlier ? "after" : "take"], { name });
    const asks = this.look.hidden || this.gone || this.error.textContent ? "" : this.words.start;
    const idle = !this.told ? asks : this.fell ? "" : hint;
    this.result.textContent = busy || [this.fell?.said, idle].filter(Boolean).join(" ");
  }

  show(told) {
    const { rows, others, among } = candidates(told, this.stage, this.groups, this.most);
    this.full = this.axis.reach([...rows, others].flatMap(({ now, raw }) => [now, raw]));
    const { counts } = this.fell ?? {};
    const cut = [...rows, others].some((row) => row.cut) && "cut";
    const seen = counts ? ["drawn", "expected"] : ["now", "raw", cut];
    const whole = (part) => fill(this.words.percent, { number: Math.round(100 * part) });
    const label = (part) => (counts ? this.count(Math.round(part * this.times)) : whole(part));
    this.bars.style.setProperty("--part", this.axis.show(seen, label));
    const [taken, last] = [this.taken(), counts ? -1 : edge(rows, others)];
    this.rows.forEach((row, rank) => {
      if ((row.hidden = rank >= rows.length)) return;
      const { at } = rows[rank];
      const is = { taken: this.numbers.ids[at] === taken, last: rank === last };
      const shown = { ...rows[rank], ...is, name: this.numbers.names[at] };
      this.fit(row, shown, is.last && this.together(told, rows[rank + 1].cut), counts?.[at]);
    });
    const { all, left } = others;
    this.rest.hidden = !all;
    const note = left && left < all ? fill(this.words.others_kept, { count: counted(left) }) : "";
    const name = fill(this.words.others, { count: counted(all) });
    const fell = counts && sum(counts) - among(counts);
    const rare = taken !== undefined && !rows.some(({ at }) => this.numbers.ids[at] === taken);
    const more = this.numbers.counting ? this.words.counting : note;
    this.fit(this.rest, { ...others, name, taken: rare }, more, fell);
    this.describe(told);
  }

  // Of these bars' tokens the one that was taken: the next in the line, or the one just pressed.
  taken() {
    const { path } = this.numbers;
    return this.picked ?? (begins(path, this.line) ? this.line[path.length] : undefined);
  }

  fit(row, shown, more, fell) {
    const note = noted(this.words, shown, more);
    const { at, name, now, cut } = shown;
    const figure = fell === undefined ? this.percent(now, !cut) : this.count(fell);
    row.at = at;
    fit(row, { ...shown, figure, note, drawn: (fell ?? 0) / this.times }, this.full);
    const raw = this.percent(shown.raw);
    row.ariaLabel = fill(this.words.row, { name, now: figure, raw, note });
    row.ariaDisabled = String(!this.ready || (row === this.rest && cut > 0));
  }

  together = (told, cut) =>
    fill(this.words.together, { mass: this.percent(told[cut].mass), name: STAGES[cut] });
  count = (times) => fill(this.words.times, { count: counted(times) });
  percent = (share, possible) => percent(this.words, share, possible);

  describe(told) {
    const names = this.numbers.names.map(brief);
    const lines = steps(told, { ...this.groups, names }, this.values, this.off, this.percent);
    lines.forEach(([name, numbers], at) => {
      this.steps[at].did.textContent = fill(this.words[name], numbers);
      this.steps[at].head.ariaPressed = String(at === this.stage);
    });
  }

  // Python does it, and `arrived` hears of it; if a cell still runs, after that.
  send(content, doing) {
    this.forget();
    this.waits = this.words[doing];
    clearTimeout(this.late);
    const late = () => this.paint((this.waits = this.words.waits));
    this.late = setTimeout(late, PATIENCE);
    this.paint();
    this.model.send({ ...content, from: this.path });
  }

  take(at) {
    this.picked = this.numbers.ids[at] ?? RARE;
    if (at === this.groups.listed) this.send({ do: "rare" }, "asking_whole");
    else this.send({ do: "take", number: this.numbers.ids[at] }, "asking");
  }

  draw = (random) => drawn(this.told.at(-1), this.groups.listed, random());

  // One of the seed's numbers for each token of an answer: drawn again here, it is the same.
  next = () => this.draw(chance(this.values.seed, this.path.length));

  // They fall one by one, then faster; all at once for who wants it calm.
  drawMany() {
    this.forget();
    const { counts } = (this.fell = { counts: Array(this.groups.listed + 1).fill(0) });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const [began, random] = [performance.now(), chance(this.values.seed)];
    let done = 0;
    const fall = (now) => {
      const part = calm ? 1 : Math.min(1, Math.max(0, now - began) / FALL);
      for (; done < this.times * part * part; done++) counts[this.draw(random)]++;
      this.fell.falls = part < 1;
      if (part < 1) this.frame = requestAnimationFrame(fall);
      this.fell.said = fill(this.words[part < 1 ? "falling" : "drawn"], { count: counted(done) });
      this.paint();
    };
    fall(began);
  }

  forget() {
    cancelAnimationFrame(this.frame);
    this.fell = undefined;
  }
}

export default { render: ({ model, el }) => void new Instrument(model, el) };
