// Files that are to go with the next message: chosen, pasted or dropped, sent up one by one.

import { h, icon } from "./dom.js";
import { randomId } from "./storage.js";
import { reason } from "./transport.js";

const ACCEPT = ".png,.jpg,.jpeg,.gif,.webp,.heic,.pdf,.docx,.xlsx,.txt,.csv";
const MOST = 5;
const PICTURE = /^image\/(png|jpeg|gif|webp)$/;
const PICTURE_BYTES = 2097152; // a larger one is not loaded unasked

export class Attachments {
  #items = []; // {id, file, sent?, failed?}

  constructor({ t, why, limit, upload, changed, say }) {
    Object.assign(this, { t, why, limit, upload, changed, say });
    this.input = h("input", { type: "file", multiple: true, accept: ACCEPT, hidden: true, onchange: () => { this.add(this.input.files); this.input.value = ""; } });
    this.button = h("button.round.clip", { type: "button", hidden: !limit, onclick: () => this.input.click() }, icon("clip"));
    this.list = h("ul.files", { hidden: true });
  }

  /** Whether a message may leave: nothing is on its way up, and nothing has failed unseen. */
  get ready() { return this.#items.every((item) => item.sent); }
  get empty() { return !this.#items.length; }

  get sent() { return this.#items.map((item) => item.sent); }

  /** What was sent up, given away. */
  take() {
    const files = this.sent;
    this.#items = [];
    this.draw();
    return files;
  }

  add(files) {
    if (!this.limit) return;
    for (const file of [...files].slice(0, MOST - this.#items.length)) {
      const item = { id: randomId(), file };
      this.#items.push(item);
      if (file.size > this.limit * 1048576) item.failed = this.t("fileLarge", { limit: this.limit });
      else this.#send(item);
    }
    this.draw();
  }

  async #send(item) {
    item.failed = "";
    this.draw();
    try {
      item.sent = await this.upload(item.file, item.id);
      this.say(this.t("fileReady", { name: item.file.name }));
    } catch (error) {
      item.failed = this.why(reason(error));
      item.again = !["file_type", "too_large", "too_many_files", "empty"].includes(error.code);
      this.say(`${item.file.name}: ${item.failed}`);
    }
    this.draw();
  }

  draw() {
    const { t } = this;
    this.list.hidden = this.empty;
    this.button.disabled = this.#items.length >= MOST;
    this.list.replaceChildren(...this.#items.map((item) => h(`li.file${item.failed ? ".failed" : ""}`, {}, icon("clip"),
      h("span.name", { textContent: item.file.name }), !item.sent && h("span.state", { textContent: item.failed || t("fileSending") }),
      item.again && item.failed && h("button.link", { type: "button", textContent: t("retry"), onclick: () => this.#send(item) }),
      h("button.link", { type: "button", "aria-label": `${t("remove")}: ${item.file.name}`, onclick: () => this.#remove(item) }, icon("close")))));
    this.changed();
  }

  #remove(item) {
    this.#items = this.#items.filter((other) => other !== item);
    this.draw();
    this.button.focus();
  }

  label() {
    this.button.title = this.t("attach");
    this.button.setAttribute("aria-label", this.t("attach"));
    this.draw();
  }
}

/** The contents of files as addresses in this page, each fetched once. */
export class Contents {
  #known = {};

  constructor(fetch) { this.fetch = fetch; }

  of({ id }) {
    const found = this.#known[id] ||= this.fetch(id).then((content) => URL.createObjectURL(content));
    found.catch(() => { delete this.#known[id]; });
    return found;
  }

  async save(file) {
    h("a", { href: await this.of(file), download: file.name }).click();
  }

  forget() {
    for (const one of Object.values(this.#known)) one.then(URL.revokeObjectURL, () => {});
    this.#known = {};
  }
}

/** The files of a turn, each a download; a picture is seen. */
export function fileList(files, { t, open, picture }) {
  if (!files?.length) return null;
  return h("ul.files.sent", {}, ...files.map((file) => h("li", {}, h("button.file", { type: "button", title: t("download"), onclick: () => open(file) },
    PICTURE.test(file.type) && file.bytes <= PICTURE_BYTES ? thumbnail(file, picture) : icon("clip"), h("span.name", { textContent: file.name }), file.bytes && h("span.state", { textContent: size(file.bytes) })))));
}

/** Loaded once it comes into sight. Its place is there before. */
function thumbnail(file, picture) {
  const img = h("img.thumbnail", { alt: "" });
  new IntersectionObserver(([{ isIntersecting }], observer) => {
    if (!isIntersecting) return;
    observer.disconnect();
    picture(file).then((address) => { img.src = address; }, () => img.replaceWith(icon("clip")));
  }).observe(img);
  return img;
}

const size = (bytes) => (bytes < 1048576 ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / 1048576).toFixed(1)} MB`);
