// The answer so far as tokens, each a way back to it, and the other beginnings that were tried.
// A place in it is the path there, the numbers of its tokens.

const begins = (path, other) => path.every((token, at) => token === other[at]);
const same = (path, other = []) => path.length === other.length && begins(path, other);

// `line` goes as far as the learner has gone, maybe beyond the place where they are now.
function spell(written, others, { tried, line, path: here }, go) {
  const names = new Map(tried.map(({ path, name }) => [String(path), name]));
  places(written, [[], ...line].map((_, at) => line.slice(0, at)), go, (chip, path) => {
    chip.textContent = names.get(String(path));
    chip.className = path.length > here.length ? "ahead" : path.length ? "" : "plain";
    chip.ariaCurrent = String(path.length === here.length);
  });
  const goneOn = (path) => ({ path: other }) => other !== path && begins(path, other);
  const ends = tried
    .map(({ path }) => path)
    .filter((path) => !begins(path, line) && !tried.some(goneOn(path)));
  places(others, ends, go, (branch, path) => {
    const parts = path.map((_, at) => names.get(String(path.slice(0, at + 1))));
    const common = path.findIndex((token, at) => token !== line[at]);
    branch.textContent = "";
    make(branch, "span", "", parts.slice(0, common).join(""));
    make(branch, "b", "", parts.slice(common).join(""));
  });
}

// A button for each; those that are there are used again, so that the focus stays.
function places(parent, paths, go, show) {
  while (parent.children.length > paths.length) parent.lastChild.remove();
  paths.forEach((path, at) => {
    // Python has no answer for who is there already.
    const press = ({ path, ariaCurrent }) => ariaCurrent === "true" || go(path);
    const chip = parent.children[at] || button(parent, "", "", press);
    show(Object.assign(chip, { path }), path);
  });
}
