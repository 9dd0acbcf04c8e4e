// One turn as elements: a customer's, an answer with its kind, sources, choices and thumbs, a colleague's.

import { h, icon } from "./dom.js";
import { fileList } from "./files.js";
import { render, safeUrl } from "./markup.js";

const KIND_ICONS = { approved: "check", passage: "page", generated: "spark" };
const LONG = 520; // letters of an answer that nobody has approved from which on it is folded; of several twice that
const STEP_MS = 14;
const UNFOLD_MS = 560;

const wordless = ({ kind, text, files }) => kind === "files" || (!text && files);

export function customerTurn(turn, actions) {
  const said = !wordless(turn) && h("div.bubble", { textContent: turn.text });
  return h("li.turn.customer", {}, h("span.hidden", { textContent: `${actions.t("you")}: ` }), said, fileList(turn.files, actions), actions.stamp);
}

export function agentTurn(turn, actions) {
  const { t, live, quiet, stamp } = actions;
  const text = h("div.bubble.text", {}, render(turn.text));
  if (live && !quiet) unfold(text);
  return h("li.turn.agent", {}, h("p.who", {}, icon("person"), turn.agent || t("colleague"), stamp), !wordless(turn) && text, fileList(turn.files, actions), cardRow(cardsOf(turn), actions));
}

export function botTurn(turn, actions) {
  const { t, isLast, live, quiet, plain } = actions;
  const parts = turn.reply?.parts?.length ? turn.reply.parts : [{ text: turn.text, kind: turn.kind, sources: [], choices: [] }];
  const whole = parts[1] && width(parts.map((part) => part.text).join()) > 2 * LONG;
  const long = (part) => !whole && ["passage", "generated"].includes(part.kind) && width(part.text) >= LONG;
  const tapped = (part) => isLast && choices(part, actions);
  const all = h("div.parts", {}, ...parts.map((part, at) => {
    const key = `${turn.id}.${at}`;
    const text = h("div.text", {}, render(part.text));
    if (live && !quiet) unfold(text);
    return h("section.part", {}, text, long(part) && folded(text, key, actions), kindLine(part, t), ...sources(part, key, actions), !whole && tapped(part));
  }));
  return h("li.turn.bot", {},
    h("span.hidden", { textContent: `${t("assistant")}: ` }),
    h("div.bubble", {}, all, whole && folded(all, turn.id, actions), ...(whole ? parts.map(tapped) : [])),
    cardRow(cardsOf(turn), actions),
    !plain && votable(parts) ? thumbs(turn, actions) : actions.stamp,
    isLast && suggestions(turn.reply?.suggestions, actions));
}

export function pendingTurn(item, actions) {
  const { t, why, retry, remove, online } = actions;
  const state = h("p.state");
  if (item.status === "failed") {
    state.append(t("failed"), " ", why(item.reason), " ",
      h("button.link", { type: "button", textContent: t("retry"), onclick: () => retry(item.id) }), " ",
      h("button.link", { type: "button", textContent: t("remove"), onclick: () => remove(item.id) }));
    state.classList.add("failed");
  } else if (!online) {
    state.textContent = t("queued");
  } else if (item.retryIn) {
    state.textContent = item.reason === "no_release" ? t("unavailable") : t("busy", { seconds: item.retryIn });
  }
  return h(`li.turn.customer${item.status === "sending" ? "" : ".unsent"}`, {}, (item.title || item.text) && h("div.bubble", { textContent: item.title || item.text }), fileList(item.files, actions), state.childNodes.length > 0 && state);
}

/** An answer that comes in, or the dots of somebody who writes: the assistant, or a colleague by `name`. */
export function streamingTurn(text, { t }, role = "bot", name = t("assistant")) {
  const bubble = text
    ? h("div.bubble", {}, h("div.text", {}, render(text)))
    : h("div.bubble.typing", { role: "img", "aria-label": t("typing", { name }) }, h("i"), h("i"), h("i"));
  return h(`li.turn.${role}`, { "aria-busy": "true" }, bubble);
}

/** A Chinese character takes two letters' room. */
const width = (text) => text.length + (text.match(/[\u3400-\u9fff]/g) || []).length;

/** What is long shows its beginning; readers hear it whole either way. */
function folded(element, key, { t, opened }) {
  if (opened.has(key)) return null;
  element.classList.add("folded");
  return h("button.link.more", { type: "button", textContent: t("showAll"), onclick: ({ target }) => { opened.add(key); element.classList.remove("folded"); target.remove(); } });
}

function kindLine(part, t) {
  if (!KIND_ICONS[part.kind]) return null;
  return h(`p.kind.${part.kind}`, {}, icon(KIND_ICONS[part.kind]), t(`kind.${part.kind}`));
}

/** Where an answer comes from: the page's title opens the words it rests on and a link to the whole page. */
function sources(part, place, { t, opened }) {
  return (part.sources || []).map((source, at) => {
    const key = `${place}.source${at}`;
    const href = source.url ? safeUrl(source.url) : null;
    const same = source.quote?.trim() === part.text.trim(); // the answer is the quote
    const link = href && h("a.open", { href, target: "_blank", rel: "noopener noreferrer" }, t("openSource"), icon("link"));
    if (same || !source.quote) {
      return h("p.source", {}, href ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, source.title, icon("link")) : source.title);
    }
    return h("details.source", { open: opened.has(key), ontoggle: ({ target }) => { target.open ? opened.add(key) : opened.delete(key); } }, h("summary", {}, icon("down"), h("span", {}, t("source", { title: source.title }))),
      h("blockquote", {}, render(source.quote)), link);
  });
}

function choices(part, { choose }) {
  if (!part.choices?.length) return null;
  return h("div.choices", {}, ...part.choices.map((choice) =>
    h("button.choice", { type: "button", onclick: () => choose(choice) }, choice.payload === "/handover" && icon("person"), choice.title)));
}

function suggestions(texts, { ask }) {
  if (!texts?.length) return null;
  return h("div.choices.suggestions", {}, ...texts.map((text) => h("button.choice", { type: "button", textContent: text, onclick: () => ask(text) })));
}

const votable = (parts) => parts.some((part) => !["smalltalk", "person", "choices", "ask", "notice"].includes(part.kind));

function thumbs(turn, { t, vote, stamp }) {
  const button = (value, name, label) =>
    h(`button.thumb`, { type: "button", title: label, "aria-label": label, "aria-pressed": String(turn.vote === value), onclick: () => vote(turn, value) }, icon(name));
  return h("div.thumbs", {}, button("up", "up", t("helpful")), button("down", "thumbDown", t("notHelpful")),
    turn.vote && !turn.voting && h("span.thanks", { textContent: t(turn.vote === "up" ? "thanksUp" : "thanksDown") }), stamp);
}

/** The words appear one after the other. They are all there from the start: nothing moves, and readers read it whole. */
function unfold(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  const words = nodes.flatMap((node) => {
    const pieces = node.data.match(/[\u3400-\u9fff]{1,2}|[^\s\u3400-\u9fff]+\s*|\s+/g) || [];
    const spans = pieces.map((piece) => h("span.word", { textContent: piece }));
    node.replaceWith(...spans);
    return spans;
  });
  const step = Math.min(STEP_MS, UNFOLD_MS / words.length);
  words.forEach((word, at) => { word.style.animationDelay = `${Math.round(at * step)}ms`; });
}

/** The cards of a turn, the bot's in the parts of its reply: one alone, or several in a row that scrolls sideways, also by arrow keys. */
export const cardsOf = ({ cards, reply }) => cards || (reply?.parts || []).flatMap((part) => part.cards || []);

function cardRow(cards, { t }) {
  if (!cards.length) return null;
  const many = cards.length > 1;
  const show = ({ target }) => target.closest(".card")?.scrollIntoView({ block: "nearest", inline: "center" }); // whole, not by an edge of its link
  return h("ul.cards", { role: "list", onfocusin: show, tabIndex: many ? 0 : null, "aria-label": many ? t("cards", { count: cards.length }) : null }, ...cards.map((card) =>
    h("li.card", {},
      card.image && h("img", { src: safeUrl(card.image), alt: card.alt, loading: "lazy", referrerPolicy: "no-referrer", onerror: ({ target }) => target.remove() }),
      h("strong", { textContent: card.title }), card.text && h("p", { textContent: card.text }),
      ...card.links.map(({ title, url }) => h("a.choice", { href: safeUrl(url), target: "_blank", rel: "noopener noreferrer" }, title, icon("link"))))));
}
