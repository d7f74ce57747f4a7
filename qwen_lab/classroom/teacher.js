// The teacher's page: asks every two seconds what is new, and shows it. What learners wrote is text.

const words = JSON.parse(document.body.dataset.words);
const lang = document.documentElement.lang;
const [state, csv, table] = ["#state", "#csv", "table"].map((name) => document.querySelector(name));
const since = new Intl.RelativeTimeFormat(lang, { style: "narrow" });
const SIGNS = { passed: "✓", wrong: "✗", open: "·" };
const SIDES = ["stuck", "seen", "left", "used"];
// Cells: by status those that count it, an exercise each; and by name those of each learner.
const sums = {};
const rows = new Map();

// The token leaves the address bar at once; this tab keeps it, until it is closed.
function take() {
  if (location.hash.length > 1) sessionStorage.setItem("token", location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}

function say(key, values) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function ask(path, sent) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem("token")}` };
  return fetch(path, sent ? { method: "POST", headers, body: JSON.stringify(sent) } : { headers });
}

function add(parent, name, text = "", more = {}) {
  const made = Object.assign(document.createElement(name), more);
  made.textContent = text;
  parent.append(made);
  return made;
}

// What stays the same is left alone: a selection, a pointer and a screen reader rest on it.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tell(text, failed = false) {
  put(state, text);
  state.classList.toggle("qwen-failed", failed);
}

function number(value) {
  return value === null ? "–" : value.toLocaleString(lang);
}

function ago(seconds) {
  if (seconds === null) return "–";
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"]];
  const [size, unit] = units.find(([size]) => seconds >= size) ?? [];
  return unit ? since.format(-Math.floor(seconds / size), unit) : words.now;
}

// A cell for each lesson with a mark for each of its exercises; the marks are given back.
function marks(line, lessons, cell = "td", text = () => "") {
  return lessons.flatMap(([lesson, exercises]) => {
    const made = add(line, cell, "", { className: "lesson" });
    made.dataset.lesson = lesson;
    return exercises.map((each) => add(made, "b", text(each)));
  });
}

function head(lessons) {
  const part = add(table, "thead");
  const [heads, passed, wrong] = [1, 2, 3].map(() => add(part, "tr"));
  const side = (name) => add(heads, "th", words[name], { rowSpan: 3, className: name });
  add(heads, "th", words.name, { className: "name" });
  // First what matters in a lesson: it is in sight on a telephone, too.
  side("stuck");
  marks(heads, lessons, "th", (each) => each.split(".")[1]);
  SIDES.slice(1).forEach(side);
  for (const [line, status] of [[passed, "passed"], [wrong, "wrong"]]) {
    add(line, "th", words[`sum_${status}`], { className: "name" });
    sums[status] = marks(line, lessons);
  }
  add(table, "tbody");
}

function row(name, lessons) {
  const line = add(table.tBodies[0], "tr");
  add(line, "th", name, { className: "name", title: name });
  const side = (className) => add(line, "td", "", { className });
  const stuck = side("stuck");
  const signs = marks(line, lessons);
  for (const sign of signs) sign.role = "img";
  const [seen, left, used] = SIDES.slice(1).map(side);
  const shown = add(used, "span");
  const reset = add(used, "button", words.reset, { title: say("reset_told", { name }) });
  reset.setAttribute("aria-label", reset.title);
  reset.addEventListener("click", async () => {
    if (!confirm(say("reset_asks", { name }))) return;
    const answer = await ask("reset", name).catch(() => ({ ok: false }));
    if (answer.ok) refresh();
    else tell(words.silent, true);
  });
  return { signs, sides: [stuck, seen, left, shown] };
}

function fill({ signs, sides }, learner, exercises) {
  exercises.forEach((each, at) => {
    const [status, tries] = learner.exercises[each] ?? ["open", 0];
    put(signs[at], SIGNS[status]);
    signs[at].className = `qwen-sign ${status}`;
    signs[at].title = say(status, { number: each, tries });
    signs[at].ariaLabel = signs[at].title;
  });
  const tries = learner.stuck && learner.exercises[learner.stuck][1];
  const stuck = learner.stuck ? say("stuck_at", { number: learner.stuck, tries }) : "";
  const { seen, left, used } = learner;
  [stuck, ago(seen), number(left), number(used)].forEach((text, at) => put(sides[at], text));
}

function sum({ exercises, learners }) {
  const count = (status, number) =>
    learners.filter((one) => one.exercises[number]?.[0] === status).length;
  for (const [status, cells] of Object.entries(sums)) {
    cells.forEach((cell, at) => put(cell, String(count(status, exercises[at]) || "")));
  }
  const here = learners.filter(({ seen }) => seen !== null && seen < 300).length;
  const told = [say("here", { here, count: learners.length })];
  const stuck = exercises.map((each) => count("wrong", each));
  const most = Math.max(...stuck);
  if (most > 1) told.push(say("most_stuck", { number: exercises[stuck.indexOf(most)], count: most }));
  tell(told.join("\n"));
}

function show(found) {
  const names = new Set(found.exercises.map((each) => each.split(".")[0]));
  const lessons = [...names].map((name) =>
    [name, found.exercises.filter((each) => each.startsWith(`${name}.`))]);
  if (!table.tHead) head(lessons);
  for (const learner of found.learners) {
    if (!rows.has(learner.name)) rows.set(learner.name, row(learner.name, lessons));
    fill(rows.get(learner.name), learner, found.exercises);
  }
  table.className = found.learners.every(({ left }) => left === null) ? "unlimited" : "";
  sum(found);
  csv.hidden = false;
}

async function refresh() {
  try {
    const answer = await ask("overview");
    if (answer.ok) show(await answer.json());
    else tell(answer.status === 401 ? words.no_token : words.silent, true);
  } catch {
    tell(words.silent, true);
  }
}

async function live() {
  if (!document.hidden) await refresh();
  setTimeout(live, 2000);
}

csv.addEventListener("click", async () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await (await ask("csv")).blob());
  link.download = "class.csv";
  link.click();
  URL.revokeObjectURL(link.href);
});
addEventListener("hashchange", take);
take();
live();
