// The page that stands for the company's: what the theme builder says is passed on to the widget's frame.
"use strict";

const frame = () => document.querySelector("frontdesk-widget")?.shadowRoot.querySelector("iframe");
let last = null;

function pass() {
  const widget = frame();
  if (!last || !widget) return;
  document.documentElement.dataset.theme = last.theme;
  widget.contentWindow.postMessage({ frontdesk: "look", look: last }, window.location.origin);
}

window.addEventListener("message", (event) => {
  if (event.origin !== window.location.origin) return;
  if (event.source === window.parent && event.data?.look) {
    last = event.data.look;
    pass();
  } else if (event.source === frame()?.contentWindow && event.data?.frontdesk === "rehearsing") {
    pass(); // the frame listens from now on
  }
});
window.parent.postMessage({ preview: "ready" }, window.location.origin);
