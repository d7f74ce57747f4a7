// The x-ray beside it under the hand: a click on a token, or Enter, tells Python which one it was;
// a button does so for the one that is open.

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const ASIDE = { ArrowLeft: -1, ArrowRight: 1 };
const TOKEN = ".qwen-xray-text > [tabindex]";

export default {
  render({ model, el }) {
    const offer = button(el, "jupyter-button widget-button", "", () =>
      go(tokens().findIndex((each) => each.matches(".open"))),
    );
    const told = make(el, "p");
    const show = () => {
      told.textContent = model.get("value");
      offer.textContent = model.get("offer");
      offer.hidden = !told.textContent;
    };
    const tokens = () => [...el.parentElement.querySelectorAll(TOKEN)];
    const token = ({ target }) => {
      const found = target.closest?.(TOKEN);
      return el.parentElement?.contains(found) ? found : undefined;
    };
    // What opens below may lie out of sight. The tokens are new ones, and the focus stays.
    let number;
    const opened = new MutationObserver((changes) => {
      const [first] = changes.flatMap(({ addedNodes }) => [...addedNodes]);
      if (!first) return;
      opened.disconnect();
      tokens()[number]?.focus({ preventScroll: true });
      first.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth" });
    });
    const go = (at) => {
      opened.observe(el.parentElement, { childList: true });
      model.send((number = at));
    };
    const heard = {
      // JupyterLab would take Enter. Tab goes to one of them and on; arrows go from one to the next.
      focusin: (event) => {
        const found = token(event);
        found?.setAttribute("data-lm-suppress-shortcuts", "true");
        if (found) tokens().forEach((each) => (each.tabIndex = each === found ? 0 : -1));
      },
      keydown: (event) => {
        if (event.key === "Enter") heard.click(event);
        const next = token(event) && ASIDE[event.key];
        if (!next) return;
        event.preventDefault();
        const all = tokens();
        all[all.indexOf(event.target) + next]?.focus();
      },
      click: (event) => {
        const found = token(event);
        if (found && model.get("value")) go(tokens().indexOf(found));
      },
    };
    Object.entries(heard).forEach((each) => document.addEventListener(...each));
    model.on("change:value change:offer", show);
    show();
    return () => Object.entries(heard).forEach((each) => document.removeEventListener(...each));
  },
};
