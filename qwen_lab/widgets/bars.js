// A row of the sampler: a token's name, its bar with the model's own as a mark, a figure, a note.

// So many letters fit onto the shortest bar's line; Chinese ones are twice as wide.
const LINE = 36;
const width = (text) => sum([...text].map((letter) => (letter > "\u2e80" ? 2 : 1)));

function row(parent, look, press) {
  const row = button(parent, look, "", press);
  const part = (kind, parent) => (look) => make(parent, kind, look);
  const [label, track, figure] = ["name", "track", "figure"].map(part("span", row));
  const [now, drawn, raw] = ["now", "drawn", "raw"].map(part("i", track));
  return Object.assign(row, { label, figure, now, drawn, raw, note: make(row, "small") });
}

// On an axis that ends at `full`.
function fit(row, { name, figure, note, now, raw, drawn = 0, cut, taken, last }, full) {
  const place = (share) => `${(100 * Math.min(share, full)) / full}%`;
  row.now.style.width = place(now);
  row.drawn.style.width = place(drawn);
  row.raw.style.left = place(raw);
  row.label.textContent = name;
  row.figure.textContent = figure;
  row.title = row.note.textContent = note;
  // Where there is no room for it beside the bar and its mark, the note stands below.
  const below = note && Math.max(now, raw) / full + (width(note) + 2) / LINE > 1;
  for (const [look, is] of Object.entries({ below, cut, taken, last }))
    row.classList.toggle(look, Boolean(is));
}

// What a row says of its token, and what `more` there is.
function noted(words, { taken, count, system, low, cut, by = [STAGES[cut]] }, more) {
  // A word of the system message, which the template may have written, is not the learner's own.
  const occurs = fill(words[system === count ? "occurs_system" : "occurs"], { count });
  const met = low ? fill(words.lowered, { occurs }) : occurs;
  const cuts = fill(words.cut, { name: by.join(words.names) });
  const notes = [taken && words.taken, count && met, cut && cuts, more];
  return notes.filter(Boolean).join(words.phrases);
}
