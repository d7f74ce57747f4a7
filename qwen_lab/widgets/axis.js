// Above the sampler's bars: what they are made of, and how long they are.

const KEY = ["now", "raw", "cut", "drawn", "expected"];
// Where it may end, and how far apart its labels are there.
const ENDS = [0.1, 0.25, 0.5, 0.75, 1];
const apart = (end) => (end > 0.25 ? 0.25 : 0.05);
const MOST = 6;

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
    this.ticks = Array.from({ length: MOST }, () => make(this.line, "span"));
  }

  // Where it ends: beyond all the shares, as draws may go beyond what is likely. While a slider is
  // `held` it grows where a bar needs it, and never shrinks.
  reach(shares) {
    const needed = ENDS.find((end) => end >= 1.08 * Math.max(...shares)) ?? 1;
    return (this.full = this.held ? Math.max(this.full, needed) : needed);
  }

  // The kinds that are `seen`, and the labels; what is from one to the next, as part of it all.
  show(seen, label) {
    const step = apart(this.full);
    const last = Math.round(this.full / step);
    this.kinds.forEach((kind, at) => (kind.hidden = !seen.includes(KEY[at])));
    this.ticks.forEach((tick, at) => {
      tick.textContent = label(at * step);
      tick.style.left = `${(100 * at * step) / this.full}%`;
      tick.hidden = at > last;
      tick.classList.toggle("end", at === last);
    });
    return `${(100 * step) / this.full}%`;
  }

  set hidden(hidden) {
    this.key.hidden = this.line.hidden = hidden;
  }
}
