// The sampler in the page: what is turned moves the bars at once, by `sampling.js` before it.
// Python asks the model, keeps the branches and has the words.

// Milliseconds: how long a thousand draws fall, and when it says that it still waits for Python.
const [FALL, PATIENCE] = [2000, 2500];

class Instrument {
  constructor(model, el) {
    Object.assign(this, { model, el, ...model.get("told"), line: [], stage: STAGES.length - 1 });
    this.values = model.get("values");
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
    this.rows = Array.from({ length: this.most }, () => this.row("row"));
    this.rest = this.row("row rest");
    this.result = make(parent, "p", "result", "", { role: "status" });
    this.look = button(parent, "main", this.words.look, () => this.send({ do: "ask" }, "asking"));
    this.error = make(parent, "p", "qwen-failed", "", { role: "alert" });
  }

  row(look) {
    const row = button(this.bars, look, "", () => this.take(row.at));
    const part = (kind, parent) => (look) => make(parent, kind, look);
    const [label, track, figure] = ["name", "track", "figure"].map(part("span", row));
    const [now, drawn, raw] = ["now", "drawn", "raw"].map(part("i", track));
    return Object.assign(row, { label, figure, now, drawn, raw, note: make(row, "small") });
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
    this.told = this.groups && stages(this.groups, this.values, this.largest_top_k);
    this.axis.hidden = this.bars.hidden = !this.told;
    if (this.told) this.show(this.told);
    const name = this.steps[this.stage].head.textContent;
    const hint = fill(this.words[this.stage < STAGES.length - 1 ? "after" : "take"], { name });
    const idle = this.gone ? this.words.kept : this.told && !this.fell ? hint : "";
    this.result.textContent = busy || [this.fell?.said, idle].filter(Boolean).join(" ");
  }

  show(told) {
    const { rows, others, among } = candidates(told, this.stage, this.groups, this.most);
    this.full = this.axis.reach([...rows, others].flatMap(({ now, raw }) => [now, raw]));
    const { counts } = this.fell ?? {};
    this.bars.style.setProperty("--quarter", this.wide(0.25));
    const cut = [...rows, others].some((row) => row.cut) && "cut";
    const seen = counts ? ["drawn", "expected"] : ["now", "raw", cut];
    const whole = (part) => fill(this.words.percent, { number: 100 * part });
    const label = (part) => (counts ? this.count(part * this.times) : whole(part));
    this.axis.show(seen, this.full, label);
    this.rows.forEach((row, rank) => {
      if ((row.hidden = rank >= rows.length)) return;
      const { at, count } = rows[rank];
      this.fit(row, rows[rank], this.numbers.names[at], this.occurs(at, count), counts?.[at]);
    });
    const { all, left } = others;
    this.rest.hidden = !all;
    const note = left && left < all ? fill(this.words.others_kept, { count: counted(left) }) : "";
    const name = fill(this.words.others, { count: counted(all) });
    const fell = counts && sum(counts) - among(counts);
    this.fit(this.rest, others, name, this.numbers.counting ? this.words.counting : note, fell);
    this.describe(told);
  }

  // A word of the system message, which the template may have written, is not the learner's own.
  occurs(at, count) {
    const where = this.numbers.system?.[at] === count ? "occurs_system" : "occurs";
    return count ? fill(this.words[where], { count }) : "";
  }

  fit(row, { at, raw, now, cut, by = [STAGES[cut]] }, name, note, fell) {
    const figure = fell === undefined ? this.percent(now, !cut) : this.count(fell);
    const notes = [cut ? fill(this.words.cut, { name: by.join(this.words.names) }) : "", note];
    row.at = at;
    row.label.textContent = name;
    row.figure.textContent = figure;
    row.note.textContent = notes.filter(Boolean).join(this.words.phrases);
    row.classList.toggle("below", Math.max(now, raw) >= 0.4 * this.full);
    row.now.style.width = this.wide(now);
    row.raw.style.left = this.wide(raw);
    row.drawn.style.width = this.wide((fell ?? 0) / this.times);
    row.classList.toggle("cut", cut > 0);
    const told = { name, now: figure, raw: this.percent(raw), note: row.note.textContent };
    row.ariaLabel = fill(this.words.row, told);
    row.ariaDisabled = String(!this.ready || (row === this.rest && cut > 0));
  }

  wide = (share) => `${(100 * share) / this.full}%`;
  count = (times) => fill(this.words.times, { count: counted(times) });
  percent = (share, possible) => percent(this.words, share, possible);

  describe(told) {
    const lines = steps(told, this.groups, this.values, this.off, this.percent);
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
