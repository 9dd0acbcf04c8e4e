// Passing on, closing, and the list of keys: small dialogs that the keyboard reaches and leaves.

import { ask, config, h, t } from "./page.js";

function open(title, ...content) {
  const dialog = h("dialog.card", { "aria-label": title, onclose: () => dialog.remove() }, h("header", {}, h("h2", {}, title)), ...content);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** `done` gets the conversation as the server has it afterwards; `failed` the error. */
export function passOn(conversation, colleagues, done, failed) {
  const others = colleagues.filter((one) => !one.me);
  const note = h("input", { type: "text", maxLength: 2000, id: "pass-note" });
  const act = (path, body) => async () => {
    dialog.close();
    await ask(`/conversations/${conversation.id}${path}`, { ...body, note: note.value }).then(done, failed);
  };
  const dialog = open(t("pass_to"), h("div.inside.tight", {},
    h("div.choices", {}, ...others.map((one) =>
      h("button", { type: "button", onclick: act("/assign", { to: one.id, holder: conversation.agent_id }) }, one.name, h("span.small.quiet", {}, one.here ? (one.away ? t("away") : t("here")) : t("not_here")))),
      conversation.mine && h("button", { type: "button", onclick: act("/put-back", { to: "queue" }) }, t("to_queue")),
      conversation.mine && h("button", { type: "button", onclick: act("/put-back", { to: "bot" }) }, t("to_bot"))),
    !others.length && h("p.small.quiet", {}, t("nobody_else")),
    h("div", {}, h("label", { htmlFor: "pass-note" }, t("with_note")), note),
    h("button", { type: "button", onclick: () => dialog.close() }, t("cancel"))));
}

export function closeAs(conversation, done, failed) {
  const dialog = open(t("close_as"), h("div.inside.tight", {},
    h("div.choices", {}, ...config.outcomes.map((outcome) =>
      h("button", { type: "button", "data-outcome": outcome.name, onclick: async () => {
        dialog.close();
        await ask(`/conversations/${conversation.id}/close`, { outcome: outcome.name }).then(done, failed);
      } }, outcome.words))),
    h("button", { type: "button", onclick: () => dialog.close() }, t("cancel"))));
}

export function keys() {
  const rows = [["j / k", "key_next"], ["c", "key_take"], ["r", "key_reply"], ["n", "key_note"], ["d", "key_draft"], ["a", "key_articles"], ["/", "key_canned"],
    ["Enter", "key_send"], ["t", "key_pass"], ["x", "key_close"], ["1 2 3 4", "key_boxes"], ["Esc", "key_leave"]];
  const dialog = open(t("keys"), h("div.inside.tight", {}, h("dl.pairs", {}, ...rows.flatMap(([key, name]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(name))])),
    h("button", { type: "button", onclick: () => dialog.close() }, t("cancel"))));
}
