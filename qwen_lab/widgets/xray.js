// The x-ray beside it under the hand: a click on a token, or Enter, tells Python which one it was.

export default {
  render({ model, el }) {
    const told = make(el, "p");
    const show = () => (told.textContent = model.get("value"));
    const token = ({ target }) => {
      const found = target.closest?.(".qwen-xray-text > [tabindex]");
      return el.parentElement?.contains(found) ? found : undefined;
    };
    // What opens below may lie out of sight.
    const opened = new MutationObserver((changes) => {
      const [first] = changes.flatMap(({ addedNodes }) => [...addedNodes]);
      if (first) opened.disconnect();
      first?.scrollIntoView({ behavior: "smooth" });
    });
    const heard = {
      // JupyterLab would take Enter.
      focusin: (event) => token(event)?.setAttribute("data-lm-suppress-shortcuts", "true"),
      keydown: (event) => event.key === "Enter" && heard.click(event),
      click: (event) => {
        const found = token(event);
        if (!found || !model.get("value")) return;
        opened.observe(el.parentElement, { childList: true });
        model.send([...found.parentElement.children].indexOf(found));
      },
    };
    Object.entries(heard).forEach((each) => document.addEventListener(...each));
    model.on("change:value", show);
    show();
    return () => Object.entries(heard).forEach((each) => document.removeEventListener(...each));
  },
};
