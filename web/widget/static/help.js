// The help pages' little script: the company's colour, and a question asked on the page goes to the widget.

import { clean, on, readable, token } from "./colour.js";

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

function paint() {
  const accent = clean(root.dataset.accent);
  root.style.setProperty("--accent", accent);
  root.style.setProperty("--on-accent", on(accent));
  root.style.setProperty("--accent-strong", readable(accent, token("--surface")));
}

paint();
dark.addEventListener("change", paint);

document.querySelector("form.ask")?.addEventListener("submit", (event) => {
  const field = event.target.elements.ask;
  const text = field.value.trim();
  if (!window.Frontdesk?.loaded) return; // without the widget the form leads to the chat page
  event.preventDefault();
  if (text) window.Frontdesk("ask", text);
  else window.Frontdesk("open");
  field.value = "";
});

for (const button of document.querySelectorAll("[data-open-chat]")) {
  button.addEventListener("click", () => window.Frontdesk?.("open"));
}
