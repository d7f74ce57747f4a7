// Above the sampler's bars: what they are made of, and how long they are.

const KEY = ["now", "raw", "cut", "drawn", "expected"];
const QUARTERS = [0, 0.25, 0.5, 0.75, 1];

class Axis {
  constructor(parent, words) {
    this.key = make(parent, "p", "key");
    this.kinds = KEY.map((name) => {
      const kind = make(this.key, "span");
      make(kind, "i", `key-${name}`);
      make(kind, "span", "", words[`key_${name}`]);
      return kind;
    });
    this.line = make(parent, "div", "axis", "", { "aria-hidden": "true" });
    this.ticks = QUARTERS.map(() => make(this.line, "span"));
  }

  // Where it ends: at a quarter, half of it all at least; draws may go beyond what is likely. While
  // a slider is `held` it grows where a bar needs it, and never shrinks.
  reach(shares) {
    const needed = Math.min(1, Math.max(0.5, Math.ceil(4.32 * Math.max(...shares)) / 4));
    return (this.full = this.held ? Math.max(this.full, needed) : needed);
  }

  // The kinds that are `seen`, and each quarter with its label, up to the one that is `full`.
  show(seen, full, label) {
    this.kinds.forEach((kind, at) => (kind.hidden = !seen.includes(KEY[at])));
    this.ticks.forEach((tick, at) => {
      tick.textContent = label(QUARTERS[at]);
      tick.style.left = `${(100 * QUARTERS[at]) / full}%`;
      tick.hidden = QUARTERS[at] > full;
      tick.classList.toggle("end", QUARTERS[at] === full);
    });
  }

  set hidden(hidden) {
    this.key.hidden = this.line.hidden = hidden;
  }
}
