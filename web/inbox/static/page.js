// What every part of the inbox shares: elements, words, the server.

const root = document.getElementById("inbox");
export const config = JSON.parse(root.dataset.config);
export const { h } = await import(root.dataset.dom);
export const { Attachments } = await import(root.dataset.files);
export { root };

/** One of the icons that the page has brought (web/inbox/pages.py); beside words, which say the same. */
export const icon = (name) => document.getElementById(`icon-${name}`).content.firstElementChild.cloneNode(true);

export const t = (name, values = {}) =>
  (config.words[name] ?? name).replace(/\{(\w+)\}/g, (gap, key) => values[key] ?? gap);

const stop = document.documentElement.lang.startsWith("zh") ? "。" : ". "; // between two sentences

export class Refused extends Error {
  constructor(status, error) {
    super([error?.message, error?.remedy].filter(Boolean).join(stop) || `HTTP ${status}`);
    this.status = status;
    this.code = error?.code;
  }
}

export async function ask(path, body) {
  const form = body instanceof FormData; // the browser writes its Content-Type, with the boundary
  const answer = await fetch(`${config.root}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { Accept: "application/json", ...(body !== undefined && { "X-CSRFToken": config.csrf, ...(!form && { "Content-Type": "application/json" }) }) },
    body: body === undefined || form ? body : JSON.stringify(body),
  });
  if (answer.status === 401) location.reload(); // the session has ended
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, told.error);
  return told;
}

/** "5 min" since a moment; empty where there is none. */
export function since(moment) {
  if (!moment) return "";
  const minutes = Math.floor((Date.now() - new Date(moment)) / 60000);
  if (minutes < 1) return t("now");
  if (minutes < 60) return t("minutes", { n: minutes });
  return minutes < 2880 ? t("hours", { n: Math.floor(minutes / 60) }) : t("days", { n: Math.floor(minutes / 1440) });
}

export function clock(moment) {
  const at = new Date(moment);
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString(document.documentElement.lang, today ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

const announcer = h("div.out-of-sight", { role: "status" });
const trouble = h("p.note.bad.trouble", { role: "alert", hidden: true });
export const furniture = [announcer, trouble];

/** Spoken by screen readers, once. */
export function say(text) {
  announcer.textContent = "";
  setTimeout(() => { announcer.textContent = text; }, 60);
}

/** The connection is back: whatever else was wrong stays said. */
export function reconnected() {
  if (trouble.textContent === t("connection")) complain("");
}

let hiding = 0;
export function complain(text, lasting = false) {
  clearTimeout(hiding);
  trouble.textContent = text;
  trouble.hidden = !text;
  if (text && !lasting) hiding = setTimeout(() => { trouble.hidden = true; }, 8000);
}

export const percent = (share) => `${Math.round(share * 100)} %`;
