// anywidget takes a widget for dead whose script needs longer than two seconds to begin, and shows
// nothing of it till its cell runs again; where a whole lesson runs at once, it needs longer.
const { timeout } = AbortSignal;
AbortSignal.timeout = (least) => timeout.call(AbortSignal, Math.max(least, 60_000));
// JupyterLab loads no script but an extension's, and wants a plugin of each.
const plugin = { id: "qwen-lab:patience", autoStart: true, activate() {} };
window._JUPYTERLAB["qwen-lab"] = { init() {}, get: async () => () => ({ default: plugin }) };
