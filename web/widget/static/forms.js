// What the site asks of the visitor: who it is before the first message, and how it was at the end.

import { h } from "./dom.js";

const KINDS = { name: ["text", "name"], email: ["email", "email"], phone: ["tel", "tel"] };

/** The form; `done` gets what was filled in, by field name. */
export function prechatForm(fields, { t, locale, done }) {
  const inputs = fields.map(({ name, required, label }) => {
    const [type, autocomplete] = KINDS[name] || ["text", "off"];
    const words = label[locale] || label.en || Object.values(label)[0] || t(`field.${name}`);
    const error = h("p.error", { id: `error-${name}`, hidden: true });
    const input = h("input", { type, name, required, autocomplete, id: `field-${name}`, maxLength: 200, "aria-describedby": error.id });
    const row = h("div.field", {}, h("label", { htmlFor: input.id }, words, !required && h("span.optional", { textContent: ` ${t("optional")}` })), input, error);
    return { name, input, error, row };
  });
  const form = h("form.prechat", { noValidate: true, onsubmit: submit, "aria-label": t("prechat") },
    h("p", { textContent: t("prechat") }), ...inputs.map(({ row }) => row), h("button.primary", { type: "submit", textContent: t("startChat") }));

  function submit(event) {
    event.preventDefault();
    let first = null;
    const found = {};
    for (const { name, input, error } of inputs) {
      const value = input.value.trim();
      const wrong = !value && input.required ? t("needed") : !input.validity.valid ? t("notRight") : "";
      error.textContent = wrong;
      error.hidden = !wrong;
      input.setAttribute("aria-invalid", String(Boolean(wrong)));
      if (wrong) first ||= input;
      else if (value) found[name] = value;
    }
    if (first) first.focus();
    else done(found);
  }
  return form;
}

/** Five marks and a word; `give` says whether the server has taken them. */
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
