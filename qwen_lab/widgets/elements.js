// What our scripts make a page of. Text gets there as `textContent`, so that none becomes a tag.

const counted = (number) => number.toLocaleString("en-US");
const brief = (text) => (text.length > 10 ? `${text.slice(0, 10)}…` : text);
const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function make(parent, kind, look = "", text = "", attributes = {}) {
  const element = document.createElement(kind);
  element.className = look;
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

// A button that is off by `aria-disabled` keeps the focus, unlike one that is disabled.
function button(parent, look, text, press) {
  const element = make(parent, "button", look, text, { type: "button" });
  element.onclick = () => element.ariaDisabled !== "true" && press(element);
  return element;
}

// A probability in percent as `views.html.percent` has it: what is possible is never shown as zero.
function percent(words, share, possible = true) {
  const number = possible ? (100 * share).toFixed(2) : "0";
  if (number === "0.00") return fill(words.less, { number: "0.01" });
  return fill(words.percent, { number });
}
