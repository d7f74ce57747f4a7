// The code of a call, with a button that copies it.

export default {
  render({ model, el }) {
    const words = model.get("words");
    const copy = button(el, "jupyter-button widget-button", words.copy, () => {
      getSelection().selectAllChildren(code);
      // It needs no https, and where a page may not copy, the code is selected all the same.
      said.textContent = document.execCommand("copy") ? words.copied : words.selected;
    });
    const said = make(el, "span", "said", "", { role: "status" });
    const code = make(make(el, "div", "qwen-table"), "pre");
    const show = () => {
      code.textContent = model.get("value");
      said.textContent = "";
      copy.hidden = code.hidden = !model.get("value");
    };
    model.on("change:value", show);
    show();
  },
};
