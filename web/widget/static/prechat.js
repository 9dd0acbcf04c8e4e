// What the site asks for before the first message.

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
