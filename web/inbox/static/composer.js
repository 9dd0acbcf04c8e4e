// Where the agent writes: a reply or a note, with canned replies behind "/". What is typed stays with its conversation.

import { Attachments, Refused, ask, complain, config, h, say, t } from "./page.js";

const TYPING_MS = 3000;

export class Composer {
  #texts = new Map(); // "reply 12" → what was typed there
  #cards = new Map(); // 12 → the cards of an approved answer that go with the reply
  #id = null;
  #mode = "reply";
  #canned = [];
  #files = new Map(); // 12 → Attachments that go with the reply
  #told = 0; // when the server was last told that a reply is being written
  #sending = null; // {id, client_message_id, said}: the same id again is the same message

  constructor({ sent }) {
    this.sent = sent;
    this.replyTab = h("button.box", { type: "button", onclick: () => this.write("reply") }, t("reply"));
    this.noteTab = h("button.box", { type: "button", onclick: () => this.write("note") }, t("note_tab"));
    this.input = h("textarea", { rows: 3, maxLength: config.limit, oninput: () => this.#typed(), onkeydown: (event) => this.#key(event) });
    this.menu = h("ul.canned", { role: "listbox", id: "canned", hidden: true, "aria-label": t("key_canned") });
    this.input.setAttribute("aria-controls", "canned");
    this.button = h("button.primary", { type: "submit" }, t("send"));
    this.hint = h("p.small.quiet.grow");
    this.carried = h("p.row.small.carried", { hidden: true });
    this.attached = h("div.attached");
    this.attach = h("span");
    this.element = h("form.composer", { onsubmit: (event) => { event.preventDefault(); this.send(); } },
      h("div.row", { role: "group" }, this.replyTab, this.noteTab), h("div.writing", {}, this.menu, this.input), this.carried, this.attached, h("div.row.apart", {}, this.attach, this.hint, this.button));
    const files = () => this.#mode === "reply" && !this.theirs && this.#files.get(this.#id);
    this.input.addEventListener("paste", (event) => { if (files() && event.clipboardData.files.length) { event.preventDefault(); files().add(event.clipboardData.files); } });
    this.element.addEventListener("dragover", (event) => event.preventDefault());
    this.element.addEventListener("drop", (event) => { event.preventDefault(); if (files()) files().add(event.dataTransfer.files); });
  }

  /** A conversation comes to the front, or the one there has changed. */
  async show(conversation) {
    const other = conversation.id !== this.#id;
    if (other) this.#told = 0;
    this.#id = conversation.id;
    const theirs = conversation.state === "human" && !conversation.mine;
    this.replyTab.disabled = theirs;
    if (theirs && this.#mode === "reply") this.#mode = "note";
    else if (!theirs && this.theirs) this.#mode = "reply";
    this.theirs = theirs;
    this.mine = conversation.mine;
    this.#hint(conversation);
    this.#filesOf(conversation);
    if (other) {
      this.#canned = [];
      this.#draw();
      const { canned } = await ask(`/conversations/${conversation.id}/canned`).catch(() => ({ canned: [] }));
      if (this.#id === conversation.id) this.#canned = canned;
    } else this.#draw();
  }

  /** Each conversation has its own: what was chosen for one visitor never goes to another. */
  #filesOf({ id, attachment_mb: limit }) {
    if (this.#files.has(id)) return;
    const upload = (file, client) => {
      const body = new FormData();
      body.append("file", file, file.name);
      body.append("client_file_id", client);
      return ask(`/conversations/${id}/files`, body);
    };
    const files = new Attachments({ t, say, limit, upload, why: (reason) => config.words[`file_${reason}`] || t("file_other"), changed: () => this.#ready() });
    this.#files.set(id, files);
    files.label();
  }

  /** Nothing leaves while a file is on its way up, or has failed unseen. */
  #ready() {
    const files = this.#files.get(this.#id);
    this.button.disabled = Boolean(this.sending || (this.#mode === "reply" && files && !files.ready));
  }

  #hint({ visitor }) {
    this.#where = visitor.here ? t("visitor_here")
      : visitor.email ? (config.mail.state === "on" ? t("goes_by_mail", { email: visitor.email }) : config.mail.state === "wrong" ? t("mail_wrong") : t("mail_off"))
        : t("no_address");
  }
  #where = "";

  #draw() {
    const note = this.#mode === "note";
    this.replyTab.setAttribute("aria-pressed", String(!note));
    this.noteTab.setAttribute("aria-pressed", String(note));
    this.element.classList.toggle("noting", note);
    const kept = this.#texts.get(`${this.#mode} ${this.#id}`) || "";
    if (this.input.value !== kept) this.input.value = kept;
    this.input.placeholder = t(note ? "note_hint" : "reply_hint");
    this.input.setAttribute("aria-label", t(note ? "note_tab" : "reply"));
    this.button.textContent = t(note ? "add_note" : "send");
    this.hint.textContent = note ? t("note_hint") : this.#where;
    const cards = (!note && this.#cards.get(this.#id)) || [];
    const files = !note && this.#files.get(this.#id);
    this.attached.replaceChildren(...(files ? [files.list] : []));
    this.attach.replaceChildren(...(files ? [files.button, files.input] : []));
    this.#ready();
    this.carried.hidden = !cards.length;
    this.carried.replaceChildren(h("span", {}, `${t("cards")} ${cards.map((card) => card.title).join(" · ")}`),
      h("button.plain.small", { type: "button", onclick: () => { this.#cards.delete(this.#id); this.write("reply"); } }, t("without_cards")));
  }

  write(mode = "reply") {
    if (mode === "reply" && this.theirs) return;
    this.#mode = mode;
    this.#draw();
    this.input.focus();
  }

  /** Put a text where the cursor is, or in place of a reply that is still empty; its cards go with the reply. */
  insert(text, cards = []) {
    if (this.theirs) return;
    if (cards.length) this.#cards.set(this.#id, cards);
    this.write("reply");
    this.input.setRangeText(text, this.input.selectionStart, this.input.selectionEnd, "end");
    this.#typed();
  }

  #typed() {
    this.#texts.set(`${this.#mode} ${this.#id}`, this.input.value);
    this.#tellTyping();
    this.#suggest();
  }

  /** The visitor sees that whoever has the conversation writes to him, never what. */
  #tellTyping() {
    const types = this.#mode === "reply" && this.mine && Boolean(this.input.value.trim());
    if (types ? Date.now() - this.#told < TYPING_MS : !this.#told) return;
    this.#told = types ? Date.now() : 0;
    ask(`/conversations/${this.#id}/typing`, { typing: types }).catch(() => {});
  }

  // --- canned replies --------------------------------------------------------------------------------------

  #suggest() {
    const match = this.#mode === "reply" && /(?:^|\s)\/([\p{L}\p{N}_-]*)$/u.exec(this.input.value.slice(0, this.input.selectionStart));
    const found = match ? this.#canned.filter((one) => one.shortcut.startsWith(match[1].toLowerCase())).slice(0, 8) : [];
    this.menu.hidden = !found.length;
    this.menu.replaceChildren(...found.map((one, at) =>
      h("li", { role: "option", id: `canned-${at}`, "aria-selected": String(at === 0), onmousedown: (event) => { event.preventDefault(); this.#take(one, match[1]); } },
        h("strong.mono", {}, `/${one.shortcut}`), " ", h("span.quiet", {}, one.text))));
    this.menu.found = found.map((one) => () => this.#take(one, match[1]));
    this.#point(0);
  }

  #point(at) {
    const options = [...this.menu.children];
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    if (this.menu.hidden) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `canned-${at}`);
    this.menu.at = at;
  }

  #take(one, typed) {
    const end = this.input.selectionStart;
    this.input.setRangeText(one.text, end - typed.length - 1, end, "end");
    this.menu.hidden = true;
    this.#typed();
    this.input.focus();
  }

  #key(event) {
    if (event.isComposing) return; // an input method is choosing characters
    if (!this.menu.hidden) {
      const count = this.menu.children.length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        this.#point((this.menu.at + (event.key === "ArrowDown" ? 1 : count - 1)) % count);
        return;
      }
      if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); this.menu.found[this.menu.at](); return; }
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); this.menu.hidden = true; return; }
    }
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.send(); }
  }

  // --- sending ---------------------------------------------------------------------------------------------

  async send() {
    const text = this.input.value.trim();
    const [id, mode] = [this.#id, this.#mode];
    const files = mode === "reply" ? this.#files.get(id) : null;
    const ids = files?.ready ? files.sent.map((file) => file.id) : [];
    if (!(text || ids.length) || this.button.disabled || !id) return;
    const said = [text, ...ids].join(" ");
    if (this.#sending?.id !== id || this.#sending.said !== said) this.#sending = { id, said, client_message_id: crypto.randomUUID?.() || `${Date.now()}-${Math.random()}` };
    this.sending = true;
    this.#ready();
    try {
      const told = mode === "note" ? await ask(`/conversations/${id}/note`, { text }) : await ask(`/conversations/${id}/reply`, { text, client_message_id: this.#sending.client_message_id, cards: this.#cards.get(id) || [], files: ids });
      this.#texts.delete(`${mode} ${id}`);
      if (mode === "reply") this.#cards.delete(id);
      files?.take();
      this.#told = 0;
      this.#sending = null;
      if (mode === "note" && !this.theirs) this.#mode = "reply";
      this.#draw();
      this.sent(told);
    } catch (error) {
      complain(`${t("not_sent")}: ${error instanceof Refused ? error.message : t("connection")}`);
      if (error.code === "taken") this.sent(null);
    } finally {
      this.sending = false;
      this.#draw();
    }
  }
}
