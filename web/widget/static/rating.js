// How it was: five marks and a word, asked once when a conversation has ended.

import { h } from "./dom.js";

export function ratingForm({ t, give }) {
  const word = h("textarea", { rows: 2, maxLength: 1000, "aria-label": t("rate.comment"), placeholder: t("rate.comment") });
  const more = h("div.more-words", { hidden: true }, word,
    h("button.primary", { type: "button", textContent: t("send"), onclick: () => give(chosen, word.value.trim(), true) }));
  let chosen = 0;
  const marks = [1, 2, 3, 4, 5].map((mark) => h("button.mark-button", {
    type: "button", "aria-pressed": "false", "aria-label": t("rate.mark", { mark }), textContent: String(mark), onclick: () => {
      const before = chosen;
      show(mark);
      give(mark, "", false).then((taken) => taken || chosen !== mark || show(before));
    } }));
  const show = (mark) => {
    chosen = mark;
    marks.forEach((other, at) => other.setAttribute("aria-pressed", String(at + 1 === mark)));
    more.hidden = !mark;
  };
  return h("div.rating", { role: "group", "aria-label": t("rate.ask") },
    h("p", { textContent: t("rate.ask") }), h("div.marks", {}, h("span", { textContent: t("rate.low") }), ...marks, h("span", { textContent: t("rate.high") })), more);
}
