// What was said, as it comes in: a turn that has not changed is not touched.

import { clock, config, h, icon, t } from "./page.js";

const KINDS = { approved: "good", passage: "accent", generated: "accent", unknown: "warn", choices: "warn" };

export class Transcript {
  constructor() {
    this.list = h("ol.turns");
    this.before = h("p.small.left-out", { hidden: true });
    this.dots = h("p.small.quiet", { hidden: true }, t("visitor_types"));
    this.element = h("div.transcript", { tabIndex: 0, role: "log", "aria-label": t("customer"), "aria-live": "off" }, this.before, this.list, this.dots);
    this.drawn = new Map();
  }

  /** Whether the visitor writes just now. */
  typing(types) {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    const atBottom = scrollHeight - scrollTop - clientHeight < 60;
    this.dots.hidden = !types;
    if (atBottom) this.element.scrollTop = this.element.scrollHeight;
  }

  clear() {
    this.dots.hidden = true;
    this.drawn.clear();
    this.list.replaceChildren();
  }

  /** Returns the customer's turns that are new since the last time. */
  show(turns, leftOut, id) {
    this.before.hidden = !leftOut;
    if (leftOut && this.before.dataset.told !== `${id} ${leftOut}`) {
      this.before.dataset.told = `${id} ${leftOut}`;
      this.before.replaceChildren(h("a", { href: `${config.trace}${id}`, target: "_blank", rel: "noopener" }, t("left_out_turns", { n: leftOut })));
    }
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    const atBottom = !this.drawn.size || scrollHeight - scrollTop - clientHeight < 60;
    const first = !this.drawn.size;
    const keep = new Set(turns.map((turn) => turn.id));
    const fresh = [];
    for (const [id, { element }] of this.drawn) {
      if (!keep.has(id)) { element.remove(); this.drawn.delete(id); }
    }
    for (const turn of turns) {
      const state = JSON.stringify(turn);
      const before = this.drawn.get(turn.id);
      if (before?.state === state) continue;
      const element = this.turn(turn);
      if (before) before.element.replaceWith(element);
      else {
        this.list.append(element);
        if (!first && turn.role === "customer") fresh.push(turn);
      }
      this.drawn.set(turn.id, { element, state });
    }
    if (!turns.length) this.list.replaceChildren(h("li.quiet", {}, t("nothing_said")));
    if (atBottom) this.element.scrollTop = this.element.scrollHeight;
    return fresh;
  }

  turn(turn) {
    return h(`li.turn.${turn.role}`, { id: `turn-${turn.id}` },
      h("div.byline", {}, h("strong", {}, turn.by || t(turn.role)), h("time", { dateTime: turn.at }, clock(turn.at)),
        KINDS[turn.kind] && ["approved", "passage", "generated"].includes(turn.kind) && h(`span.tag.${KINDS[turn.kind]}`, {}, t(turn.kind)),
        turn.vote && h(`span.tag.${turn.vote === "up" ? "good" : "bad"}`, {}, icon(turn.vote === "up" ? "hand-thumb-up" : "hand-thumb-down"), t(turn.vote === "up" ? "thumb_up" : "thumb_down"))),
      h("div.said", { lang: turn.lang }, turn.text),
      ...turn.cards.map((card) => h("div.card-said", {}, h("strong", {}, card.title), card.text && h("p.small", {}, card.text),
        card.links.length > 0 && h("p.small.quiet", {}, card.links.map((link) => link.title).join(" · ")))),
      turn.comment && h("blockquote", {}, turn.comment),
      turn.sources.length > 0 && h("p.small.quiet", {}, `${t("source")}: ${turn.sources.join(" · ")}`),
      turn.choices.length > 0 && h("p.small.quiet", {}, `${t("offered")} ${turn.choices.join(" · ")}`),
      turn.files.length > 0 && h("ul.files.small", {}, ...turn.files.map((file) => h("li", {}, h("a.file", { href: file.url, download: file.name, title: t("download") },
        file.picture ? h("img.thumbnail", { src: file.url, alt: "", loading: "lazy" }) : icon("paper-clip"), h("span.name", {}, file.name))))));
  }
}
