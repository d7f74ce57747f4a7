// From a next token's probabilities to those it is drawn with: `watch/sampling.py`, in the page.

const STAGES = ["raw", "penalties", "temperature", "top_k", "top_p"];
const PENALTIES = ["repetition_penalty", "presence_penalty", "frequency_penalty"];

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

// The numbers as groups of equal tokens: each candidate is one, each bin of the tail another.
// They are float32, so that the page and Python begin with the very same ones.
export function groups(numbers) {
  const logprobs = Float32Array.from([...numbers.logprobs, ...numbers.tail_logprobs]);
  return {
    raw: Array.from(logprobs, (logprob) => logprob + numbers.logit_offset),
    sizes: [...numbers.logprobs.map(() => 1), ...numbers.tail_counts],
    counts: [...numbers.counts, ...numbers.tail_counts.map(() => 0)],
    system: numbers.system ?? [],
    listed: numbers.logprobs.length,
  };
}

// What each stage leaves: of each group its share `now` and how many tokens of it there `are`.
export function stages({ raw, sizes, counts, listed }, settings, largest_top_k) {
  const fined = raw.map((logit, at) => penalised(logit, counts[at], settings));
  const order = raw.map((_, at) => at).sort((one, other) => fined[other] - fined[one]);
  const { temperature, top_k, top_p } = settings;
  const warm = temperature > 0 ? fined.map((logit) => logit / temperature) : fined;
  const heated = temperature > 0 ? sizes : likeliest(sizes, order, 1);
  const few = top_k > 0 && top_k <= largest_top_k ? likeliest(heated, order, top_k) : heated;
  const nucleus = top_p < 1 ? nearest(shares(warm, few), few, order, top_p) : few;
  let before, were;
  return [[raw, sizes], [fined, sizes], [warm, heated], [warm, few], [warm, nucleus]].map(
    ([logits, are]) => {
      const now = shares(logits, are);
      const cut = were && were !== are;
      const left = (share, at) => (share * are[at]) / Math.max(were[at], 1);
      const mass = cut ? sum(before.map(left)) : 1;
      [before, were] = [now, are];
      return { now, are, cut, mass, tokens: sum(are), tail: sum(now.slice(listed)) };
    },
  );
}

function penalised(logit, count, { repetition_penalty, presence_penalty, frequency_penalty }) {
  if (!count) return logit;
  const repeated = logit > 0 ? logit / repetition_penalty : logit * repetition_penalty;
  return repeated - (presence_penalty + frequency_penalty * count);
}

function likeliest(kept, order, most) {
  const few = kept.map(() => 0);
  for (const at of order) most -= few[at] = Math.min(most, kept[at]);
  return few;
}

function nearest(masses, kept, order, top_p) {
  const nucleus = kept.map(() => 0);
  let above = 0;
  for (const at of order) {
    const one = masses[at] / Math.max(kept[at], 1);
    const needed = one > 0 ? Math.ceil((top_p - above) / one) : 0;
    nucleus[at] = Math.min(Math.max(needed, 0), kept[at]);
    above += masses[at];
  }
  return nucleus;
}

function shares(logits, kept) {
  let best = -Infinity;
  logits.forEach((logit, at) => kept[at] && logit > best && (best = logit));
  const weights = logits.map((logit, at) => (kept[at] ? kept[at] * Math.exp(logit - best) : 0));
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}

// The `most` important candidates, in the model's order, and all the others as one; of each its
// share after that stage. One that is `cut` (by the stage of that number) still has what it had;
// of the others, some may have been cut `by` earlier ones. Of one that occurs in the text the bar
// may be `low` by the penalties.
export function candidates(told, stage, { listed, counts, system }, most) {
  const likely = told[0].now
    .slice(0, listed)
    .map((share, at) => Math.max(share, told.at(-1).now[at]));
  const best = likely.map((_, at) => at).sort((one, other) => likely[other] - likely[one]);
  const chosen = best.slice(0, most).sort((one, other) => one - other);
  const among = (numbers) => sum(chosen.map((at) => numbers[at]));
  const one = (at, share, left) => {
    const cut = told.findIndex((each, number) => number <= stage && !left(each));
    const [raw, now] = [told[0], told[cut > 0 ? cut - 1 : stage]].map(share);
    const low = now < raw && share(told[1]) < raw;
    return { at, raw, now, low, cut: Math.max(cut, 0), left: left(told[stage]) };
  };
  const rest = (each) => each.tokens - among(each.are);
  const rows = chosen.map((at) => ({
    ...one(at, ({ now }) => now[at], ({ are }) => are[at]),
    count: counts[at],
    system: system[at],
  }));
  const others = one(listed, ({ now }) => Math.max(0, 1 - among(now)), rest);
  const by = STAGES.filter((_, at) => at > 0 && at <= stage && rest(told[at]) < rest(told[at - 1]));
  return { rows, others: { ...others, all: rest(told[0]), by }, among };
}

// The last row before a cut that leaves nothing after it, if several stay; otherwise -1.
export function edge(rows, others) {
  const first = rows.findIndex(({ cut }) => cut);
  const whole = first > 1 && others.cut && rows.slice(first).every(({ cut }) => cut);
  return whole ? first - 1 : -1;
}

// What each stage does: the name of the sentence that says so, and what is to be filled into it.
export function steps(told, { listed, counts, names }, values, off, percent) {
  const [raw, fined, warm, ...cuts] = told;
  // Which one is the likeliest, and what it has after other stages.
  const likeliest = ({ now }) => now.indexOf(Math.max(...now.slice(0, listed)));
  const [first, next] = [likeliest(raw), likeliest(fined)];
  const had = { before: percent(fined.now[next]), after: percent(warm.now[next]) };
  const met = counts.map((count, at) => (count ? at : -1)).filter((at) => at >= 0);
  const [before, after] = [raw, fined].map(({ now }) => sum(met.map((at) => now[at])));
  const fines = PENALTIES.some((name) => values[name] !== off[name]);
  const fine = !fines ? "off_now" : after > before ? "raising" : "lowering";
  const heat = values.temperature;
  const hot = heat === 1 ? "off_now" : heat > 1 ? "hotter" : heat > 0 ? "colder" : "greedy";
  const cutting = ({ cut, tokens, mass }, at) => {
    const numbers = { kept: counted(tokens), before: counted(told[at + 2].tokens) };
    return [cut ? "stay" : "off_now", { ...numbers, mass: percent(mass) }];
  };
  return [
    ["raw", { tokens: counted(raw.tokens), name: names[first], first: percent(raw.now[first]) }],
    [fine, { before: percent(before), after: percent(after) }],
    [hot, { name: names[next], ...had }],
    ...cuts.map(cutting),
  ];
}

// Where a draw falls: the place of a listed candidate, or the number of them for all the others.
export function drawn({ now }, listed, random) {
  let left = random * sum(now);
  const at = now.findIndex((share) => (left -= share) < 0);
  return Math.min(at < 0 ? now.indexOf(Math.max(...now)) : at, listed);
}

// Numbers from 0 to 1 that look like chance, the same ones for the same seed (mulberry32), without
// the first ones that are `past`.
export function chance(seed, past = 0) {
  seed += past * 0x6d2b79f5;
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
