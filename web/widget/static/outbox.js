// What the visitor has written and the server has not got yet, in order.
//
// It lies in the browser's storage, so that a reload loses nothing; every tab of the browser reads it and adds to it.
// What became of a message here (its status, its tries) each tab knows for itself.

import { randomId } from "./storage.js";

export class Outbox {
  items = []; // {id, text, title?, files?, handover?, status: "waiting" | "sending" | "failed", reason?, tries?, retryIn?}

  constructor(storage) {
    this.storage = storage;
    this.merge();
  }

  get #stored() { return this.storage.get("outbox") || []; }

  /** Its id stays the same through every retry, reload and tab. */
  add(message) {
    const item = { id: randomId(), ...message };
    this.items.push({ ...item, status: "waiting" });
    this.#store([...this.#stored, item]);
  }

  /** What other tabs have sent is gone, what they have added is ours to send too. */
  merge() {
    const mine = new Map(this.items.map((item) => [item.id, item]));
    this.items = this.#stored.map((item) => mine.get(item.id) || { ...item, status: "waiting" });
  }

  /** The one to be sent now. */
  next() { return this.items.find((item) => item.status === "waiting"); }

  retry(id) {
    const item = this.items.find((item) => item.id === id);
    Object.assign(item || {}, { status: "waiting", reason: undefined, tries: 0 });
  }

  drop(ids) {
    const stays = ({ id }) => !ids.includes(id);
    this.items = this.items.filter(stays);
    if (!this.#stored.every(stays)) this.#store(this.#stored.filter(stays));
  }

  clear() {
    this.items = [];
    this.#store([]);
  }

  #store(items) { this.storage.set("outbox", items.length ? items : null); }
}
