// Whoever has asked for it hears when somebody waits or writes to him, and sees it while he looks at something else.

import { h, icon, root, t } from "./page.js";

const { chime } = await import(root.dataset.sound);
const KEPT = "frontdesk.inbox.alerts";
let on = localStorage.getItem(KEPT) === "on";

export const button = h("button.plain.small", { type: "button", onclick: toggle });
draw();

async function toggle() {
  on = !on;
  localStorage.setItem(KEPT, on ? "on" : "off");
  draw();
  if (!on) return;
  chime(); // what it will sound like; and a browser lets a page sound only after a click
  if ("Notification" in window && Notification.permission === "default") await Notification.requestPermission();
}

function draw() {
  button.replaceChildren(icon(on ? "bell-slash" : "bell"), t(on ? "alerts_off" : "alerts_on"));
  button.setAttribute("aria-pressed", String(on));
}

/** ``about`` tells one thing from another: news of the same replaces what was shown before. */
export function alertOf(text, about) {
  if (!on) return;
  chime();
  if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(document.title, { body: text, tag: about });
  shown.onclick = () => { window.focus(); shown.close(); };
}
