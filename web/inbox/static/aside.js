// Beside the conversation: in short, the bot's guess and drafts with their sources, articles, about the visitor.

import { ask, clock, config, h, icon, percent, t } from "./page.js";

const said = (times) => (times === 1 ? t("said_once") : t("said_often", { n: times }));

export class Aside {
  #id = null;
  #asked = null; // the last customer's turn that drafts were asked for
  #searching = 0;
  #told = ""; // about the visitor, as it was drawn last
  drafts = [];

  constructor({ insert, open }) {
    this.insert = insert;
    this.open = open;
    this.short = h("section.inside");
    this.help = h("section.inside", { "aria-live": "polite" });
    this.query = h("input", { type: "search", "aria-label": t("search_articles"), placeholder: t("search_articles"), oninput: () => this.#search() });
    this.found = h("ul.found");
    this.articles = h("section.inside", {}, h("h3", {}, t("articles")), this.query, this.found);
    this.visitor = h("section.inside");
    this.element = h("aside.beside", { "aria-label": t("wants_line") }, this.short, this.help, this.articles, this.visitor);
  }

  show(conversation) {
    if (conversation.id !== this.#id) {
      this.#id = conversation.id;
      this.#asked = null;
      this.drafts = [];
      this.query.value = "";
      this.found.replaceChildren();
      this.help.replaceChildren(h("p.quiet.small", {}, t("loading")));
    }
    this.short.replaceChildren(h("h3", {}, t("wants_line")), ...conversation.summary.map((line) => h("p.summary", {}, line)),
      ...(conversation.note ? [h("blockquote", {}, conversation.note)] : []));
    this.#about(conversation);
    const last = conversation.turns.findLast((turn) => turn.role === "customer")?.id ?? 0;
    if (this.#asked !== last) {
      this.#asked = last;
      this.#suggest(conversation.id, last);
    }
  }

  async #suggest(id, last) {
    let told;
    try {
      told = await ask(`/conversations/${id}/suggestion`);
    } catch (error) {
      if (this.#id === id) this.help.replaceChildren(h("h3", {}, t("drafts")), h("p.quiet.small", {}, error.code === "no_release" ? t("no_release") : error.message));
      return;
    }
    if (this.#id !== id || this.#asked !== last) return;
    this.drafts = told.drafts;
    this.help.replaceChildren(h("h3", {}, t("drafts")),
      ...(told.guess ? [h("p.small.quiet", {}, `${t("guess")}: ${told.guess.title} (${percent(told.guess.confidence)})`)] : []),
      ...(told.drafts.length ? told.drafts.map((draft, at) => this.#draft(draft, at)) : [h("p.small.quiet", {}, t(told.turn_id ? "no_draft" : "no_question"))]),
      ...(told.left_out ? [h("p.small.quiet", {}, t("left_out"))] : []));
    if (!this.query.value) this.#list(told.passages);
  }

  #draft(draft, at) {
    return h("div.draft", {},
      h("div.row.apart", {}, h("span.tag.accent", {}, t(draft.kind)), h("span.number.small.quiet", {}, draft.kind === "past" ? said(draft.times) : percent(draft.confidence))),
      draft.verified === false && h("p", {}, h("span.tag.warn", {}, t("unverified"))),
      h("p.prose", {}, draft.text),
      draft.cards.length > 0 && h("p.small.quiet", {}, `${t("cards")} ${draft.cards.map((card) => card.title).join(" · ")}`),
      ...draft.sources.map((source) => h("details.small", {}, h("summary", {}, `${t("source")}: ${source.title}`), h("blockquote.prose", {}, source.quote))),
      h("button", { type: "button", onclick: () => this.insert(draft.text, draft.cards) }, t("use"), at === 0 && h("kbd", {}, "d")));
  }

  #search() {
    clearTimeout(this.#searching);
    this.#searching = setTimeout(async () => {
      const asked = this.query.value.trim();
      const { passages } = await ask(`/articles?q=${encodeURIComponent(asked)}`).catch(() => ({ passages: [] }));
      if (this.query.value.trim() === asked) this.#list(passages, asked);
    }, 250);
  }

  #list(passages, asked = "") {
    this.found.replaceChildren(...(passages.length || !asked ? passages.map((passage) => this.#passage(passage)) : [h("li.small.quiet", {}, t("found_none"))]));
  }

  #passage(passage) {
    return h("li", {}, h("details", {}, h("summary", { lang: passage.lang }, passage.title),
      h("blockquote.prose.small", { lang: passage.lang }, passage.text),
      h("div.row", {}, h("button", { type: "button", onclick: () => this.insert(passage.text) }, t("quote")),
        h("a.small", { href: `${config.article}${passage.article_id}`, target: "_blank", rel: "noopener" }, t("whole")))));
  }

  #about({ visitor, language, channel, page, csat, id, reason }) {
    const mark = JSON.stringify([id, visitor, language, page, csat, reason]);
    if (mark === this.#told) return; // a link in it may have the focus
    this.#told = mark;
    const rows = [
      [t("visitor"), [visitor.name, visitor.signed && `(${t("signed")})`].filter(Boolean).join(" ")],
      [t("email"), visitor.email],
      ...Object.entries(visitor.details),
      [t("reason"), reason],
      [t("language"), language],
      [t("channel"), channel],
      [t("page"), page?.replace(/^https?:\/\//, "")],
      ["", csat && t("rated", { stars: csat })],
      [t("seen"), visitor.here ? t("here_now") : clock(visitor.seen)],
    ].filter(([, value]) => value);
    this.visitor.replaceChildren(h("h3", {}, t("about")), h("dl.pairs.small", {}, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))])),
      ...(visitor.earlier.length ? [h("h3", {}, t("earlier")), h("ul.found", {}, ...visitor.earlier.map((talk) => this.#talk(talk)))] : []),
      h("p.small", {}, h("a", { href: `${config.visitor}${visitor.id}`, target: "_blank", rel: "noopener" }, icon("user-circle"), t("visitor_page"))),
      h("p.small", {}, h("a", { href: `${config.trace}${id}`, target: "_blank", rel: "noopener" }, t("why"))));
  }

  #talk(talk) {
    return h("li", {}, h("button.plain.talk", { type: "button", lang: talk.lang, onclick: () => this.open(talk.id) }, talk.text || t("nothing_said")),
      h("p.small.quiet", {}, [clock(talk.at), talk.ended, talk.csat && t("rated", { stars: talk.csat }), talk.disliked && t("thumb_down")].filter(Boolean).join(" · ")));
  }
}
