// The inbox: what comes from the server goes to the parts, what the agent does goes to the server.

import { alertOf } from "./alerts.js";
import { Aside } from "./aside.js";
import { Composer } from "./composer.js";
import { closeAs, keys, passOn } from "./dialogs.js";
import { ask, complain, config, furniture, h, icon, reconnected, root, say, t } from "./page.js";
import { Queue } from "./queue.js";
import { Transcript } from "./transcript.js";

const POLL_MS = 3000;
const STREAM_AGAIN_MS = 30000;
const title = document.title;

let box = config.box;
let most = config.lines.step; // lines of the box that are shown
let openId = config.open;
let conversation = null;
let known = null; // ids that wait, to notice a new one
let waiting = null; // how many, where another box is shown

const queue = new Queue({ choose: show, changeBox, toggleAway, more: showMore });
const transcript = new Transcript();
const composer = new Composer({ sent: (told) => (told ? take(told) : refresh()) });
const aside = new Aside({ insert: (text, cards) => composer.insert(text, cards), open: show });
const head = h("header.top-line");
const inMenu = document.querySelector(".menu .number"); // how many wait
const placeholder = h("div.empty.middle", {}, t("choose", { key: "j" }));
const middle = h("section.conversation", { hidden: true, "aria-label": t("customer") }, head, transcript.element, composer.element);
root.replaceChildren(queue.element, placeholder, middle, aside.element, ...furniture);

// --- what comes in -----------------------------------------------------------------------------------------

function took(told) {
  if (told.queue) takeQueue(told.queue);
  if (told.conversation) take(told.conversation);
  if (told.typing) showTyping(told.typing);
}

function showTyping({ conversation: id, visitor }) {
  if (id === openId) transcript.typing(visitor);
}

function takeQueue(told) {
  if (told.box !== box || told.most !== most) return; // as it was asked for before
  if (told.gone && told.gone === openId) { complain(t("gone")); show(null); }
  queue.show(told, openId);
  inMenu.textContent = told.counts.waiting;
  inMenu.hidden = !told.counts.waiting;
  document.title = told.counts.waiting ? `(${told.counts.waiting}) ${title}` : title;
  if (box === "waiting") {
    const fresh = known && told.lines.find((line) => !known.has(line.id));
    known = new Set(told.lines.map((line) => line.id));
    if (fresh) say(t("new_waiting", { text: fresh.text }));
    if (fresh) alertOf(t("new_waiting", { text: fresh.text }), `waiting-${fresh.id}`);
  } else if (waiting !== null && told.counts.waiting > waiting) alertOf(t("some_wait", { count: told.counts.waiting }), "waiting");
  waiting = told.counts.waiting;
}

function take(told) {
  if (told.id !== openId) return;
  if (conversation?.id !== told.id) transcript.clear();
  conversation = told;
  placeholder.hidden = true;
  middle.hidden = aside.element.hidden = false;
  root.classList.add("reading");
  drawHead();
  const fresh = transcript.show(told.turns, told.left_out, told.id);
  if (fresh.length) say(t("new_message", { text: fresh.at(-1).text }));
  if (told.mine && fresh.at(-1)?.role === "customer") alertOf(t("new_message", { text: fresh.at(-1).text }), `said-${told.id}`);
  composer.show(told);
  aside.show(told);
}

function drawHead() {
  const one = conversation;
  const held = one.state === "human";
  const state = one.mine ? t("you_have_it") : held ? t("has_it", { name: one.agent }) : one.state === "closed" ? [t("is_closed"), one.outcome].filter(Boolean).join(": ")
    : one.state === "bot" ? t("with_bot") : t("nobody_has_it");
  const looks = { true: "accent", false: held ? "bad" : one.state === "waiting" ? "warn" : "" }[one.mine];
  const takeIt = !one.mine && h("button.primary", { type: "button", "data-do": "take", onclick: takeOpen }, t(held ? "take_over" : one.state === "closed" ? "reopen" : "take"), h("kbd", {}, "c"));
  const passing = one.state !== "closed" && h("button", { type: "button", "data-do": "pass", onclick: pass }, t("pass_on"), h("kbd", {}, "t"));
  const closing = one.state !== "closed" && (one.mine || !held) && h("button", { type: "button", "data-do": "close", onclick: close }, t("close"), h("kbd", {}, "x"));
  const focused = head.contains(document.activeElement) && document.activeElement.dataset.do;
  head.replaceChildren(
    h("div.row.apart", {},
      h("div", {}, h("button.plain.small.back", { type: "button", onclick: () => show(null) }, icon("arrow-left"), t("back")),
        h("h2", {}, one.visitor.name || one.visitor.email || `${t("visitor")} ${one.id}`),
        h("p.row", {}, h(`span.tag${looks ? `.${looks}` : ""}`, {}, state), one.left_message && h("span.tag.warn", {}, t("left_message")), one.displeased && h("span.tag.warn", {}, t("displeased")), one.reason && !one.mine && h("span.small.quiet", {}, one.reason),
          h("span.small.quiet", {}, t(one.visitor.here ? "visitor_here" : "visitor_left")))),
      h("div.row", {}, takeIt, passing, closing)),
    ...(one.watched_by.length ? [h("p.note.warn.small", {}, t("watched", { names: one.watched_by.join(", ") }))] : []));
  if (focused) (head.querySelector(`[data-do="${focused}"]`) || head.querySelector("button.primary") || composer.input).focus();
}

// --- what the agent does -----------------------------------------------------------------------------------

function show(id) {
  if (id === openId && conversation) return;
  openId = id;
  conversation = null;
  root.classList.toggle("reading", Boolean(id));
  placeholder.hidden = Boolean(id);
  middle.hidden = aside.element.hidden = true;
  const address = new URL(location);
  if (id) address.searchParams.set("open", id);
  else address.searchParams.delete("open");
  history.replaceState(null, "", address);
  if (queue.queue) queue.show(queue.queue, openId);
  if (id) ask(`/conversations/${id}`).then(take, failed);
  listen();
}

function changeBox(name) {
  box = name;
  most = config.lines.step;
  known = null;
  refresh();
  listen();
}

function showMore() {
  most += config.lines.step;
  refresh();
  listen();
}

const asked = () => `box=${box}&most=${most}${openId ? `&open=${openId}` : ""}`;
const refresh = () => ask(`/snapshot?${asked()}`).then(took, failed);

function failed(error) {
  complain(error.message);
  if (["taken", "not_taken"].includes(error.code) && openId) ask(`/conversations/${openId}`).then(take, () => {});
}

const done = (told) => { take(told); refresh(); };

async function takeOpen() {
  const { id, state, mine, agent_id: holder } = conversation;
  const theirs = state === "human" && !mine;
  await (theirs ? ask(`/conversations/${id}/assign`, { to: config.me.id, holder }) : ask(`/conversations/${id}/take`, {})).then((told) => { done(told); composer.write("reply"); }, failed);
}

const pass = () => passOn(conversation, queue.queue.colleagues, done, failed);
const close = () => closeAs(conversation, done, failed);

async function toggleAway() {
  await ask("/presence", { away: !queue.queue.away }).then(refresh, failed);
}

// --- the keyboard ------------------------------------------------------------------------------------------

const KEYS = {
  j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1),
  c: () => conversation && !conversation.mine && takeOpen(),
  r: () => conversation && composer.write("reply"),
  n: () => conversation && composer.write("note"),
  d: () => conversation && aside.drafts[0] && composer.insert(aside.drafts[0].text, aside.drafts[0].cards),
  a: () => conversation && aside.query.focus(),
  t: () => conversation && conversation.state !== "closed" && pass(),
  x: () => conversation && conversation.state !== "closed" && close(),
  1: () => changeBox("waiting"), 2: () => changeBox("mine"), 3: () => changeBox("open"), 4: () => changeBox("closed"),
  "?": keys,
};

function step(direction) {
  const next = queue.neighbour(openId, direction);
  if (next) show(next);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  if (event.key === "Escape" && typing) { typing.blur(); transcript.element.focus(); return; }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key.startsWith("Arrow") && transcript.element.contains(document.activeElement)) return; // it scrolls
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});

// --- news --------------------------------------------------------------------------------------------------

let source = null;
let polling = 0;

function listen() {
  source?.close();
  clearTimeout(polling);
  source = new EventSource(`${config.root}/events?${asked()}`);
  source.addEventListener("queue", ({ data }) => { reconnected(); takeQueue(JSON.parse(data)); });
  source.addEventListener("typing", ({ data }) => showTyping(JSON.parse(data)));
  source.addEventListener("conversation", ({ data }) => take(JSON.parse(data)));
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // it connects again by itself
    poll(Date.now() + STREAM_AGAIN_MS); // no stream is free: ask every few seconds, then try again
  };
}

async function poll(until) {
  clearTimeout(polling);
  try {
    took(await ask(`/snapshot?${asked()}`));
    reconnected();
  } catch {
    complain(t("connection"), true);
  }
  if (Date.now() > until) listen();
  else polling = setTimeout(() => poll(until), POLL_MS);
}

took(config.start);
aside.element.hidden = !conversation;
listen();
