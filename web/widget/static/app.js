// The chat as visitors see it: in the widget's frame, or as a page of its own.

import { clean, on, readable, token } from "./colour.js";
import { Conversation } from "./conversation.js";
import { h, icon } from "./dom.js";
import { Attachments } from "./files.js";
import { prechatForm, ratingForm } from "./forms.js";
import { Hours } from "./hours.js";
import { pageAround } from "./messages.js";
import { reason } from "./transport.js";
import { agentTurn, botTurn, cardsOf, customerTurn, pendingTurn, streamingTurn } from "./turns.js";

const config = JSON.parse(document.getElementById("config").textContent);
const framed = config.mode === "frame";
let words = config.words;
let unread = 0; // as the page was told
let wantsPerson = false;
let toldHidden = false;
const toPage = pageAround(config, (type, data) => received[type](data));
const conversation = new Conversation(config);
const hours = new Hours(config, () => { labelPerson(); drawState(); tellHidden(); });
conversation.shown = !framed;
const quiet = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");

const t = (path, values = {}) => {
  const text = path.split(".").reduce((node, key) => node?.[key], words) ?? path;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
};

const why = (reason) => words.error[reason] || words.error.other;

// --- the skeleton ---------------------------------------------------------------------------------------

const title = h("h1.title");
const subtitle = h("p.subtitle", { id: "subtitle" });
const startOver = h("button.round", { type: "button", onclick: askToStartOver }, icon("compose"));
const shut = () => { conversation.show(false); toPage("close"); }; // at once: what comes in before the page answers is unseen
const closePanel = h("button.round", { type: "button", hidden: !framed, onclick: shut }, icon("close"));
const list = h("ol.turns");
const log = h("div.log", { role: "region", tabIndex: 0, onscroll: watchScroll }, list);
const announcer = h("div.hidden", { role: "status" });
const newBelow = h("button.below", { type: "button", hidden: true, onclick: () => scrollDown() });
const notice = h("div.notice", { hidden: true });
const trouble = h("div.trouble", { role: "alert", hidden: true });
const confirmation = h("div.confirm", { hidden: true, role: "group" });
const input = h("textarea", { rows: 1, enterKeyHint: "send", oninput: typed, onkeydown: keys });
const counter = h("span.counter", { hidden: true, id: "counter" });
const sendButton = h("button.send", { type: "submit", disabled: true }, icon("send"));
const person = h("button.link", { type: "button", onclick: askForPerson });
const language = h("select", { onchange: () => setLocale(language.value) },
  ...Object.entries(config.locales).map(([value, label]) => h("option", { value, textContent: label })));
const files = new Attachments({ t, why, limit: config.attachmentMb, upload: (file, id) => conversation.upload(file, id), changed: () => grow(), say });
const sound = h("button.link", { type: "button", onclick: () => { conversation.storage.set("sound", !conversation.storage.get("sound") || null); labelSound(); if (conversation.storage.get("sound")) chime(); } });
const before = h("div.before", { hidden: true });
const rating = h("div.after", { hidden: true });
const composer = h("form.composer", { onsubmit: submit, onpaste: pasted, ondragover: (event) => event.preventDefault(), ondrop: dropped },
  files.list, h("div.box", {}, files.button, files.input, input, counter, sendButton));

document.body.append(
  h("div.chat", {},
    h("header.head", {}, framed ? h("span.mark", {}, icon("bubble")) : h("a.mark", { href: "/", id: "home" }, icon("bubble")), h("div.names", {}, title, subtitle), startOver, closePanel),
    h("main.middle", {}, log, newBelow, confirmation, notice, trouble, rating, before, composer),
    h("footer.foot", {}, person, sound, Object.keys(config.locales).length > 1 && h("label.language", {}, language)),
    announcer));

// --- words and colours ----------------------------------------------------------------------------------

function paint() {
  const style = document.documentElement.style; // set by script: the policy forbids style attributes
  const accent = clean(config.accent);
  const isDark = config.theme === "dark" || (config.theme !== "light" && dark.matches);
  Object.assign(document.documentElement.dataset, { theme: isDark ? "dark" : "light", corners: config.corners });
  style.setProperty("--accent", accent);
  style.setProperty("--on-accent", on(accent));
  style.setProperty("--accent-strong", readable(accent, token("--sunken")));
}

function label() {
  document.documentElement.lang = conversation.locale;
  document.title = `${config.title} · ${t("chat")}`;
  title.textContent = config.title;
  for (const [element, key] of [[startOver, "newConversation"], [closePanel, "closeChat"], [sendButton, "send"]]) {
    element.setAttribute("aria-label", t(key));
    element.title = t(key);
  }
  document.getElementById("home")?.setAttribute("aria-label", t("back"));
  log.setAttribute("aria-label", t("conversation"));
  input.setAttribute("aria-label", t("message"));
  language.setAttribute("aria-label", t("language"));
  language.value = conversation.locale;
  labelPerson();
  newBelow.replaceChildren(icon("down"), t("newMessages"));
  files.label();
  labelSound();
  drawn.clear();
  list.replaceChildren();
  draw();
}

function labelPerson() {
  person.replaceChildren(icon("person"), t(hours.away ? "leaveMessage" : "person"));
}

function labelSound() {
  const isOn = Boolean(conversation.storage.get("sound"));
  sound.replaceChildren(icon("bell"));
  sound.title = t(isOn ? "soundOff" : "soundOn");
  sound.setAttribute("aria-label", t("sound"));
  sound.setAttribute("aria-pressed", String(isOn));
}

async function setLocale(locale) {
  const primary = String(locale).toLowerCase().split(/[-_]/)[0];
  const wanted = config.locales[primary] ? primary : "en";
  if (wanted === conversation.locale) return;
  const response = await fetch(`${config.assets}/locales/${wanted}.json`);
  if (!response.ok) return;
  words = await response.json();
  conversation.locale = wanted;
  conversation.storage.set("locale", wanted);
  label();
  hours.ask(conversation.locale);
  toPage("locale", { ...launcherWords() });
}

const launcherWords = () => ({ chat: t("chat"), openChat: t("openChat"), closeChat: t("closeChat") });

// --- drawing --------------------------------------------------------------------------------------------

const drawn = new Map(); // key → {element, state}: what has not changed is not touched
const opened = new Set(); // sources and long passages that the visitor has unfolded
const arrived = new Set(); // ids of turns that came while the visitor was here: those are unfolded word by word

const actions = {
  t,
  why,
  opened,
  get quiet() { return quiet.matches; },
  choose: (choice) => { conversation.send(choice.payload, choice.title); input.focus(); },
  picture: (file) => conversation.contents.of(file),
  open: (file) => attempt(conversation.contents.save(file), "fileFailed"),
  ask: (text) => conversation.send(text),
  vote: async (turn, vote) => {
    if (!turn.voting && (await attempt(conversation.vote(turn, vote)))) say(t(vote === "up" ? "thanksUp" : "thanksDown"));
  },
  retry: (id) => conversation.retry(id),
  remove: (id) => conversation.remove(id),
};

const chime = () => import("./sound.js").then((sound) => sound.chime());

/** Dates as the visitor's browser writes them in the widget's language. */
const format = (options) => new Intl.DateTimeFormat(navigator.languages.find((tag) => tag.startsWith(conversation.locale)) || conversation.locale, options);

function wanted() {
  const fresh = !conversation.turns.length && !conversation.outbox.items.length && !conversation.asksFirst;
  const rows = [["greeting", `${conversation.locale}${fresh}`, () => greeting(fresh)]];
  const lastBot = conversation.turns.findLast((turn) => turn.role === "bot")?.id;
  const open = !conversation.outbox.items.length && conversation.turns.at(-1)?.id === lastBot;
  const days = format({ dateStyle: "full" });
  const clock = format({ timeStyle: "short" });
  let day = days.format();
  let minute;
  for (const turn of conversation.turns) {
    const at = new Date(turn.created_at);
    const date = days.format(at);
    if (date !== day) rows.push([`day-${turn.id}`, "", () => h("li.day", { textContent: date })]);
    const time = `${date} ${clock.format(at)}`;
    const stamp = time !== minute && h("time", { dateTime: turn.created_at, title: time, textContent: clock.format(at) });
    day = date;
    minute = time;
    const isLast = turn.id === lastBot && open && conversation.state !== "closed";
    const make = { customer: customerTurn, agent: agentTurn, bot: botTurn }[turn.role];
    rows.push([`turn-${turn.id}`, `${turn.vote}${turn.voting}${isLast}${stamp && time}`, () => make(turn, { ...actions, isLast, stamp, live: arrived.delete(turn.id) })]);
  }
  for (const item of conversation.outbox.items) {
    const state = [item.status, item.reason, item.retryIn, conversation.online].join();
    rows.push([`out-${item.id}`, state, () => pendingTurn(item, { ...actions, online: conversation.online })]);
    if (item.status === "sending" && !item.handover && ["bot", "closed"].includes(conversation.state)) {
      const text = conversation.streaming?.id === item.id ? conversation.streaming.text : "";
      rows.push([`in-${item.id}`, text, () => streamingTurn(text, actions)]);
    }
  }
  if (conversation.typing) rows.push(["typing", conversation.locale, () => streamingTurn("", { t }, "agent", agentName())]);
  return rows;
}

const agentName = () => conversation.turns.findLast((turn) => turn.role === "agent")?.agent || t("colleague");

function draw() {
  const rows = wanted();
  const keep = new Set(rows.map(([key]) => key));
  for (const [key, { element }] of drawn) {
    if (!keep.has(key)) { element.remove(); drawn.delete(key); }
  }
  let previous = null;
  for (const [key, state, make] of rows) {
    let entry = drawn.get(key);
    if (!entry || entry.state !== state) {
      const element = make();
      if (entry) replace(entry.element, element);
      element.dataset.key = key;
      entry = { element, state };
      drawn.set(key, entry);
    }
    const next = previous ? previous.nextSibling : list.firstChild;
    if (entry.element !== next) list.insertBefore(entry.element, next);
    previous = entry.element;
  }
  drawState();
}

/** A drawn turn gives way to its new form; the focus stays on the same control. */
function replace(old, fresh) {
  const controls = (element) => [...element.querySelectorAll("button, summary, a")];
  const focused = controls(old).indexOf(document.activeElement);
  old.replaceWith(fresh);
  if (focused >= 0) controls(fresh)[focused]?.focus();
}

function greeting(fresh) {
  const text = config.greetings[conversation.locale] || config.greetings.en || "";
  const starters = fresh ? config.starters[conversation.locale] : [];
  return botTurn({ id: 0, text, kind: "smalltalk", reply: { parts: [{ text, kind: "smalltalk", sources: [], choices: [] }], suggestions: starters } },
    { ...actions, isLast: true, live: false, plain: true });
}

function drawState() {
  const { state, turns } = conversation;
  const agent = agentName();
  const opening = hours.away?.opens_in_words;
  const away = hours.away && (opening ? t("away", { opening }) : t("awayLong"));
  subtitle.textContent = { waiting: away || t("subtitleWaiting"), human: t("subtitleHuman", { agent }), closed: t("subtitleClosed") }[state] || away || t("subtitle");
  input.placeholder = state === "human" ? t("placeholderHuman", { agent }) : t("placeholder");
  document.body.dataset.state = state;
  person.hidden = state === "waiting" || state === "human";
  startOver.hidden = !turns.length && !conversation.outbox.items.length && state === "bot";
  const lines = {
    waiting: [icon("person"), h("div", {}, h("span", { textContent: away || t("waiting") }),
      h("button.link", { type: "button", onclick: () => attempt(conversation.resume()), textContent: t("resume") }))],
    human: [icon("person"), h("span", { textContent: t("human", { agent }) })],
    closed: [icon("check"), h("span", { textContent: t("closed") })],
  };
  drawForms();
  const line = conversation.online ? lines[state] : [h("span", { textContent: t("offline") })];
  const key = [state, agent, conversation.online, conversation.locale, away].join();
  if (notice.dataset.key !== key) {
    const before = notice.dataset.key;
    notice.dataset.key = key;
    notice.hidden = !line;
    notice.replaceChildren(...(line || []));
    if (line && before !== undefined) say(notice.querySelector("span").textContent);
  }
}

/** The form before the first message, and the marks after the last one. */
function drawForms() {
  const { asksFirst, locale, state, key, storage, turns } = conversation;
  composer.hidden = asksFirst;
  if (asksFirst !== !before.hidden || (asksFirst && before.lang !== locale)) {
    before.hidden = !asksFirst;
    before.lang = locale;
    before.replaceChildren(asksFirst ? prechatForm(config.prechat, { t, locale, done: (details) => {
      conversation.tell(details);
      input.focus();
      if (wantsPerson) { wantsPerson = false; askForPerson(); }
    } }) : "");
  }
  const asks = config.csat && state === "closed" && key && storage.get("rated") !== key.id && turns.some((turn) => turn.role !== "customer");
  if (!asks && !rating.dataset.thanked) rating.hidden = true;
  if (state !== "closed") { rating.hidden = true; delete rating.dataset.thanked; }
  if (!asks || (!rating.hidden && rating.lang === locale)) return;
  rating.hidden = false;
  rating.lang = locale;
  rating.replaceChildren(ratingForm({ t, give: async (mark, comment, last) => {
    if (!(await attempt(conversation.close(mark, comment)))) return false;
    say(t("rate.thanks"));
    if (!last) return true;
    storage.set("rated", key.id);
    rating.dataset.thanked = "true";
    rating.replaceChildren(h("p", { textContent: t("rate.thanks") }));
    input.focus();
    return true;
  } }));
}

// --- what happens ---------------------------------------------------------------------------------------

const OWN_SCROLL_MS = 700;
let atBottom = true; // new turns are scrolled to
let scrolledTo = 0;
let ownScrollUntil = 0;

conversation.addEventListener("change", () => {
  const before = list.lastElementChild?.dataset.key;
  draw();
  conversation.see();
  tellUnread();
  tellHidden();
  if (atBottom && list.lastElementChild?.dataset.key !== before) scrollDown();
});

conversation.addEventListener("sent", () => { atBottom = true; });
new ResizeObserver(() => { if (atBottom) scrollDown(); }).observe(log); // a notice, the marks, a phone's keyboard take of its room

conversation.addEventListener("turns", ({ detail: turns }) => {
  if (loaded) for (const { id, role, text, kind } of turns) toPage("message", { message: { id, role, text, kind } });
  const spoken = turns.filter((turn) => turn.role !== "customer");
  if (!loaded || !spoken.length) return;
  for (const turn of spoken) arrived.add(turn.id);
  say(spoken.map((turn) => `${turn.role === "bot" ? t("assistant") : turn.agent || t("colleague")}: ${[turn.text, ...cardsOf(turn).map((card) => card.title)].join("\n")}`).join("\n"));
  if (conversation.storage.get("sound")) chime();
  if (!atBottom) newBelow.hidden = false;
});

conversation.addEventListener("lost", () => warn(t("lost")));

/** What has not worked, for everybody to see, until something is tried again. */
function warn(text) {
  trouble.hidden = !text;
  trouble.textContent = text;
}

/** Resolves to whether it has worked; where it has not, the visitor is told why. */
async function attempt(work, failed = "failed") {
  warn("");
  try {
    await work;
    return true;
  } catch (error) {
    warn(`${t(failed)} ${why(reason(error))}`);
    return false;
  }
}

function tellUnread() {
  const count = conversation.unread;
  if (count !== unread && toPage("unread", { count })) unread = count;
}

/** Whether the button is not to be seen: never from a visitor who waits for an answer, or has one unread. */
const hides = () => Boolean(hours.hidden && !conversation.unread && !["waiting", "human"].includes(conversation.state));

function tellHidden() {
  const now = hides();
  if (now !== toldHidden && toPage("hidden", { hidden: now })) toldHidden = now;
}

/** Spoken by screen readers once, whole: not word by word as an answer comes in. */
function say(text) {
  announcer.textContent = "";
  setTimeout(() => { announcer.textContent = text; }, 60);
}

function submit(event) {
  event.preventDefault();
  const text = input.value.trim();
  if (!(text || !files.empty) || text.length > config.limit || !files.ready) return;
  warn("");
  conversation.send(text, undefined, files.empty ? undefined : files.take());
  input.value = "";
  grow();
  input.focus();
}

function pasted(event) {
  if (event.clipboardData?.files.length) { event.preventDefault(); files.add(event.clipboardData.files); }
}

function dropped(event) {
  event.preventDefault();
  files.add(event.dataTransfer?.files || []);
}

function keys(event) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) submit(event); // 229: an input method is at work
}

function typed() {
  grow();
  conversation.type(Boolean(input.value.trim()));
}

function grow() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, 140)}px`;
  const over = input.value.length - config.limit;
  sendButton.disabled = !(input.value.trim() || !files.empty) || over > 0 || !files.ready;
  counter.hidden = over <= 0;
  counter.textContent = t("tooLong", { over });
  conversation.storage.set("draft", input.value || null);
}

async function askForPerson() {
  if (conversation.asksFirst) { // the form comes first; the wish is kept
    wantsPerson = true;
    before.querySelector("input").focus();
    return;
  }
  person.disabled = true;
  const done = await attempt(conversation.handover(t("person")));
  person.disabled = false;
  (done ? input : person).focus();
}

function askToStartOver() {
  const done = () => { confirmation.hidden = true; input.focus(); };
  const yes = h("button.primary", { type: "button", textContent: t("startOverYes"), onclick: () => { conversation.reset(); done(); } });
  const end = h("button.plain", { type: "button", textContent: t("endConversation"), onclick: () => { attempt(conversation.close()); done(); } });
  confirmation.replaceChildren(h("p", { textContent: t("startOver") }), yes, conversation.key && conversation.state !== "closed" ? end : "", h("button.plain", { type: "button", textContent: t("cancel"), onclick: done }));
  confirmation.setAttribute("aria-label", t("newConversation"));
  confirmation.hidden = false;
  yes.focus();
}

/** Whoever scrolls up reads and is left alone; our own scrolling, which takes a moment, is not his. */
function watchScroll() {
  const end = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  if (end) atBottom = true;
  else if (log.scrollTop < scrolledTo && performance.now() > ownScrollUntil) atBottom = false;
  scrolledTo = log.scrollTop;
  if (end) newBelow.hidden = true;
}

/** To the end, but never past the beginning of the newest answer. */
function scrollDown() {
  newBelow.hidden = true;
  ownScrollUntil = performance.now() + OWN_SCROLL_MS;
  const last = list.lastElementChild;
  const end = log.scrollHeight - log.clientHeight;
  const start = last ? last.offsetTop - log.offsetTop - 56 : end;
  log.scrollTo({ top: last && last.offsetHeight > log.clientHeight ? start : end, behavior: quiet.matches || !loaded ? "instant" : "smooth" });
  atBottom = true;
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (!confirmation.hidden) { confirmation.hidden = true; input.focus(); }
  else if (framed) shut();
});
dark.addEventListener("change", paint);

// --- the page around the frame --------------------------------------------------------------------------

const received = {
  hello: ({ kept } = {}) => {
    if (conversation.storage.refused && !loading) { conversation.recall(kept); begin(); }
    toPage("ready", { accent: clean(config.accent), onAccent: on(clean(config.accent)), position: config.position, corners: config.corners, hidden: (toldHidden = hides()), ...launcherWords() });
    tellUnread();
  },
  show: ({ at }) => { conversation.at = at; hours.ask(conversation.locale); conversation.show(true); scrollDown(); if (!config.preview && !matchMedia("(pointer: coarse)").matches) input.focus(); },
  hide: () => conversation.show(false),
  ask: ({ text }) => { if (text?.trim()) conversation.send(text.trim().slice(0, config.limit)); },
  setLocale: ({ locale }) => setLocale(locale),
  setUser: ({ user }) => conversation.setUser(user && typeof user === "object" ? user : null),
  focus: ({ edge }) => controls().at(edge === "last" ? -1 : 0)?.focus(),
  setTheme: ({ theme }) => { config.theme = theme; paint(); },
  reset: () => conversation.reset(),
};

const controls = () => [...document.querySelectorAll("button, textarea, select, input, a, summary, [tabindex='0']")].filter((one) => !one.disabled && one.offsetParent);

// --- begin ----------------------------------------------------------------------------------------------

if (config.preview) {
  const stage = { again: () => { draw(); scrollDown(); }, speak: setLocale, dress: () => { paint(); label(); files.limit = config.attachmentMb; files.button.hidden = !files.limit; received.hello(); } };
  import("./preview.js").then(({ rehearse }) => rehearse({ config, conversation, stage }));
}
let loaded = false;
let loading = false;
input.value = conversation.storage.get("draft") || "";
paint();
label();
if (!framed || config.hides) hours.ask(conversation.locale);
conversation.storage.keep = (kept) => toPage("keep", { kept });
if (!framed || !conversation.storage.refused) begin(); // else the page's hello brings what there is to go on from

function begin() {
  loading = true;
  const chosen = conversation.storage.get("locale");
  if (chosen && chosen !== conversation.locale) setLocale(chosen);
  conversation.load().finally(() => {
    loaded = true;
    grow();
    scrollDown();
    document.body.dataset.ready = "true";
    if (!framed) {
      input.focus();
      const query = new URLSearchParams(location.search);
      const asked = query.get("ask"); // from the help page's form, where the widget could not be loaded
      query.delete("ask");
      if (asked) { history.replaceState(null, "", `?${query}`); received.ask({ text: asked }); }
    }
  });
}
