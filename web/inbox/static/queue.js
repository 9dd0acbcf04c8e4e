// The list on the left: boxes with their numbers, and the conversations of one of them.

import { button as alerts } from "./alerts.js";
import { clock, config, h, icon, since, t } from "./page.js";

const BOXES = ["waiting", "mine", "open", "closed"];

export class Queue {
  constructor({ choose, changeBox, toggleAway, more }) {
    this.choose = choose;
    this.more = more;
    this.lines = [];
    this.boxes = h("div.tabs.boxes", { role: "group", "aria-label": t("waiting") });
    this.list = h("ul.lines");
    this.away = h("button.plain.small", { type: "button", onclick: toggleAway });
    this.people = h("p.small.quiet.people");
    this.element = h("section.queue", {}, this.boxes, this.list, h("div.team", {}, this.people, alerts, this.away,
      h("a.small", { href: `${config.root}/canned` }, icon("chat-bubble-bottom-center-text"), t("canned_replies"))));
    this.changeBox = changeBox;
    setInterval(() => this.tick(), 20000);
  }

  show(queue, openId) {
    this.queue = queue;
    this.lines = queue.lines;
    this.boxes.replaceChildren(...BOXES.map((box) =>
      h("button.box", { type: "button", "aria-pressed": String(box === queue.box), onclick: () => this.changeBox(box), "data-box": box },
        t(box), queue.counts[box] > 0 && h("span.count", {}, String(queue.counts[box])))));
    const focused = this.list.contains(document.activeElement) && document.activeElement.dataset.id;
    this.list.replaceChildren(...(queue.lines.length ? queue.lines.map((line) => this.line(line, openId)) : [h("li.empty", {}, t(`empty_${queue.box}`))]), ...(queue.more ? [this.rest(queue)] : []));
    if (focused) this.list.querySelector(`[data-id="${focused}"]`)?.focus();
    const here = queue.colleagues.filter((one) => one.here && !one.me);
    this.people.textContent = here.map((one) => `${one.name}${one.away ? ` (${t("away")})` : ""}`).join(", ");
    this.away.replaceChildren(icon(queue.away ? "sun" : "moon"), t(queue.away ? "be_here" : "be_away"));
    this.away.setAttribute("aria-pressed", String(queue.away));
  }

  line(line, openId) {
    const open = line.id === openId;
    const who = line.visitor || `${t("visitor")} ${line.id}`;
    return h("li", {}, h(`button.line${open ? ".current" : ""}`, { type: "button", "aria-current": open ? "true" : undefined, "data-id": String(line.id), onclick: () => this.choose(line.id) },
      h("span.top", {}, h("strong", {}, who), h("span.since.number", { "data-since": line.since || "", title: line.since ? clock(line.since) : "" }, since(line.since))),
      h("span.said", { lang: line.lang }, line.text || t("nothing_said")),
      h("span.marks", {},
        line.urgent && h("span.tag.bad", {}, line.reason),
        line.legal && h("span.tag.warn", {}, t("legal")),
        line.displeased && h("span.tag.warn", {}, t("displeased")),
        line.left_message && h("span.tag.warn", {}, t("left_message")),
        line.reason && !line.urgent && !line.left_message && line.state === "waiting" && h("span.tag.warn", {}, line.reason),
        line.agent && h("span.tag.accent", {}, line.agent),
        line.mine && line.state === "human" && line.owed && h("span.tag.bad", {}, "●"),
        line.outcome && h("span.tag", {}, line.outcome),
        line.watched_by.length > 0 && h("span.small.quiet", {}, line.watched_by.join(", ")))));
  }

  /** What stands under the last line where the box holds further ones. */
  rest({ box, most }) {
    const only = { waiting: "waiting", closed: "closed" }[box] || "human";
    return h("li.rest", {}, most < config.lines.most
      ? h("button", { type: "button", "data-id": "more", onclick: this.more }, t("more"))
      : h("a", { href: `${config.conversations}?only=${only}`, "data-id": "more" }, t("all_others")));
  }

  tick() {
    for (const element of this.list.querySelectorAll("[data-since]")) element.textContent = since(element.dataset.since);
  }

  /** The conversation before or after the open one, as an id. */
  neighbour(openId, step) {
    const at = this.lines.findIndex((line) => line.id === openId);
    if (at < 0) return (step > 0 ? this.lines[0] : this.lines.at(-1))?.id;
    return this.lines[at + step]?.id;
  }
}
