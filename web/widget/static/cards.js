// Cards under what was said: one alone, or several in a row that scrolls sideways, also by the arrow keys.

import { h, icon } from "./dom.js";
import { safeUrl } from "./markup.js";

/** The cards of a turn: the bot's stand in the parts of its reply. */
export const cardsOf = ({ cards, reply }) => cards || (reply?.parts || []).flatMap((part) => part.cards || []);

export function cardRow(cards, { t }) {
  if (!cards.length) return null;
  const many = cards.length > 1;
  const show = ({ target }) => target.closest(".card")?.scrollIntoView({ block: "nearest", inline: "center" }); // whole, not by an edge of its link
  return h("ul.cards", { role: "list", onfocusin: show, tabIndex: many ? 0 : null, "aria-label": many ? t("cards", { count: cards.length }) : null }, ...cards.map((card) =>
    h("li.card", {},
      card.image && h("img", { src: safeUrl(card.image), alt: card.alt, loading: "lazy", referrerPolicy: "no-referrer", onerror: ({ target }) => target.remove() }),
      h("strong", { textContent: card.title }), card.text && h("p", { textContent: card.text }),
      ...card.links.map(({ title, url }) => h("a.choice", { href: safeUrl(url), target: "_blank", rel: "noopener noreferrer" }, title, icon("link"))))));
}
