// One visitor's conversation: what was said, what is still to be sent, and whether a person is there.
//
// A message gets its client_message_id before it is sent and keeps it through every retry, reload and tab, so the
// server stores it once. One tab at a time sends what lies in the outbox (outbox.js), in order.
// While a person is awaited one tab holds a connection for all of them; otherwise nobody does: a tab that is looked at
// asks for news ever less often, so that whoever opens a closed conversation again is heard.

import { Contents } from "./files.js";
import { keyFromLink, nameOf } from "./identity.js";
import { ApiError, blob, call, events, reason, wait } from "./transport.js";
import { Outbox } from "./outbox.js";
import { Storage, locked } from "./storage.js";

const POLL_MS = [3000, 5000, 8000, 13000, 20000, 30000];
const QUIET_MS = [15000, 30000, 60000, 120000, 300000];
const BUSY_MS = { waiting: 8000, human: 3000 };
const TYPING_MS = 3000;
const PASSING_TRIES = 5;

export class Conversation extends EventTarget {
  state = "bot";
  turns = []; // as the API sends them, in order
  streaming = null; // {id, text} while an answer comes in
  typing = false; // whether a colleague writes just now

  contents = new Contents((id) => blob(`/conversations/${this.key.id}/files/${id}`, { token: this.key.token }));
  shown = false; // whether the panel is open
  at = ""; // the host page's address, as it said when the chat was opened
  user = null; // {jwt} or {id, hmac, …}, as the host page has given it

  #starting = null;
  #forgotten = 0; // how often all of it was: what comes in for an earlier conversation is nobody's any more
  #last = 0;
  #seenElsewhere = 0; // the last that another tab has shown
  #sending = false;
  #following = null;
  #line = null; // the connection that this tab holds; its `shown` is what the server was told
  #timer = 0;
  #said = 0; // when it was last told that the visitor types
  #quiet = 0; // how often it has asked for news since something happened

  constructor(config) {
    super();
    this.config = config;
    this.locale = config.locale;
    this.storage = new Storage(config.site);
    const key = keyFromLink(config);
    if (key) this.storage.set("conversation", key);
    this.key = key || this.storage.get("conversation");
    this.details = this.storage.get("details");
    this.outbox = new Outbox(this.storage);
    try {
      this.channel = new BroadcastChannel(this.storage.prefix);
      this.channel.onmessage = ({ data }) => this.#heard(data);
    } catch { /* an old browser: each tab for itself */ }
    addEventListener("online", () => { this.#changed(); this.flush(); });
    addEventListener("offline", () => this.#changed());
    document.addEventListener("visibilitychange", () => {
      if (!this.seeing && this.#line?.shown) this.#line.abort();
      if (!document.hidden && this.key) this.refresh().catch(() => {});
      this.#watch();
    });
  }

  get online() { return navigator.onLine !== false; }

  /** Whether what is said is before the visitor's eyes. */
  get seeing() { return this.shown && !document.hidden; }

  /** How much was said to him that no tab of this browser has shown. */
  get unread() {
    const seen = Math.max(this.storage.get("seen") ?? Infinity, this.#seenElsewhere);
    return this.turns.filter((turn) => turn.role !== "customer" && turn.id > seen).length;
  }

  show(shown) {
    this.shown = shown;
    if (this.#line?.shown === !this.seeing) this.#line.abort();
    this.#changed();
  }

  /** What is drawn now is seen: the other tabs hear of it, and the server, which would else write an e-mail. */
  see() {
    const seen = this.storage.get("seen") || 0;
    if (!this.seeing || this.#last <= seen) return;
    this.storage.set("seen", this.#last);
    this.channel?.postMessage({ seen: this.#last }); // by value: what one tab stores another may read a moment later
    if (this.turns.some((turn) => turn.id > seen && turn.role === "agent")) this.#call(`/messages?after=${seen}`).catch(() => {});
  }

  /** Whether the site wants to know something before the first message. */
  get asksFirst() { return this.config.prechat.length > 0 && !this.key && !this.details && !this.user; }

  tell(details) {
    this.details = details;
    this.storage.set("details", details);
    this.#changed();
    this.flush();
  }

  /** Whose browser this is, signed by the company's server. Another person than before starts anew. */
  async setUser(user) {
    const name = nameOf(user);
    const before = this.storage.get("user");
    if (before !== null && before !== name) this.reset();
    this.user = user;
    this.storage.set("user", name);
    if (user && this.key) {
      await this.#call("/identify", { identity: user }).catch((error) => {
        if (error.code === "other_visitor") this.reset();
        else this.#notBelieved(error);
      });
    }
    this.#changed();
    this.flush();
  }

  #notBelieved(error) {
    if (!(error instanceof ApiError) || error.passing) return false;
    console.warn(`Frontdesk: setUser: ${error.message}`); // the page's developer reads it; the visitor chats on
    this.user = null;
    return true;
  }

  /** What the page around has kept for a frame that may keep nothing. */
  recall(kept) {
    this.storage.recall(kept);
    this.#merge();
  }

  /** What was said before, on this page or on the last one. */
  async load() {
    if (this.key) await this.refresh().catch((error) => this.#forgetIfGone(error));
    if (this.storage.get("seen") === null) this.storage.set("seen", this.#last); // kept by an older widget
    this.#changed();
    this.flush();
    this.#watch();
  }

  /** From here on it is asked for news where no connection brings them. */
  #watch() {
    clearTimeout(this.#timer);
    this.#quiet = 0;
    const ask = async () => {
      if (this.key && !this.#sending && !["waiting", "human"].includes(this.state)) {
        await this.refresh().catch((error) => this.#forgetIfGone(error));
      }
      later();
    };
    const later = () => {
      clearTimeout(this.#timer);
      if (!document.hidden) this.#timer = setTimeout(ask, QUIET_MS[Math.min(this.#quiet++, QUIET_MS.length - 1)]);
    };
    later();
  }

  async refresh() {
    let more = true;
    const { id } = this.key || {};
    while (more && this.key) {
      const page = await this.#call(`/messages?after=${this.#last}&shown=${+this.seeing}`);
      if (this.key?.id !== id) return; // it was forgotten meanwhile: the next visitor sees nothing of it
      this.#take(page.turns);
      this.#setState(page.state);
      more = page.more;
    }
    this.#changed();
  }

  send(text, title, files, handover) {
    this.#said = 0;
    this.outbox.add({ text, title, files, handover });
    this.#changed();
    this.flush();
  }

  /** The visitor types, or no longer. A person sees that, never what. */
  type(typing) {
    const now = typing ? Date.now() : 0;
    if (!this.key || !["waiting", "human"].includes(this.state) || (typing ? now - this.#said < TYPING_MS : !this.#said)) return;
    this.#said = now;
    this.#call("/typing", { typing }).catch(() => {});
  }

  retry(id) {
    this.outbox.retry(id);
    this.#changed();
    this.flush();
  }

  remove(id) {
    this.outbox.drop([id]);
    this.#changed();
  }

  /** Send what waits, in order. One tab sends at a time; each message is looked up in the storage just before. */
  async flush() {
    if (this.#sending) return;
    this.#sending = true;
    try {
      await locked(`${this.storage.prefix}send`, {}, async () => {
        for (;;) {
          this.#merge();
          const item = this.outbox.next();
          if (!item || !this.online || this.asksFirst) break;
          if (!(await this.#deliver(item))) break;
        }
      });
    } finally {
      this.#sending = false;
      this.#changed();
      this.#watch();
    }
  }

  async #deliver(item) {
    item.status = "sending";
    this.#changed();
    try {
      if (!this.key) await this.#start();
      await (item.handover ? this.#move("/handover") : this.#exchange(item));
      this.outbox.drop([item.id]);
      this.channel?.postMessage("news");
      return true;
    } catch (error) {
      this.streaming = null;
      if (!this.outbox.items.includes(item)) return true; // started over meanwhile
      if (error instanceof ApiError && (error.status === 404 || error.status === 401) && this.key && !item.restarted) {
        item.restarted = true; // the conversation is gone: say it in a new one
        item.status = "waiting";
        item.files = undefined; // they went with the conversation
        this.#forget();
        this.dispatchEvent(new CustomEvent("lost"));
        return true;
      }
      if (!this.key && error.field?.startsWith("details.")) { // it knows better what is missing
        item.status = "waiting";
        this.details = null;
        this.storage.set("details", null);
        return false;
      }
      const passing = !(error instanceof ApiError) || error.passing;
      item.tries = (item.tries || 0) + 1;
      if (passing && item.tries < PASSING_TRIES) {
        const seconds = Math.min(60, error.retryAfter || 2 ** item.tries);
        Object.assign(item, { status: "waiting", reason: error.code || "network" });
        if (!this.online) return false;
        for (let left = seconds; left > 0; left--) {
          item.retryIn = left;
          this.#changed();
          await wait(1000);
        }
        item.retryIn = 0;
        return true;
      }
      Object.assign(item, { status: "failed", reason: reason(error) });
      return true;
    }
  }

  #start() {
    if (this.#starting) return this.#starting;
    const begun = (this.#starting = this.#begin().finally(() => { if (this.#starting === begun) this.#starting = null; }));
    return begun;
  }

  async #begin() {
    const before = this.#forgotten;
    const body = { site: this.config.site, locale: this.locale };
    if (this.user) body.identity = this.user;
    if (this.details) body.details = this.details;
    if (/^https?:/.test(this.at)) body.page = this.at.split(/[?#]/)[0].slice(0, 2000);
    const started = await call("/conversations", { body }).catch((error) => {
      if (!this.user || !(error.status === 401 || error.field?.startsWith("identity")) || !this.#notBelieved(error)) throw error;
      delete body.identity;
      return call("/conversations", { body });
    });
    if (before !== this.#forgotten) { // it was for whoever was here then
      call(`/conversations/${started.id}/close`, { token: started.token, body: {} }).catch(() => {});
      throw new ApiError(409);
    }
    this.key = { id: started.id, token: started.token };
    this.storage.set("conversation", this.key);
    this.#setState(started.state);
  }

  /** A file goes up before the message that speaks of it; the same `id` again is kept once. */
  async upload(file, id) {
    if (!this.key) await this.#start();
    const body = new FormData();
    body.append("file", file, file.name);
    body.append("client_file_id", id);
    return this.#call("/files", body);
  }

  async #exchange(item) {
    const body = { text: item.text, client_message_id: item.id, files: item.files?.map((file) => file.id) };
    const { id, token } = this.key;
    this.dispatchEvent(new CustomEvent("sent"));
    for await (const { name, data } of events(`/conversations/${id}/messages`, { token, body })) {
      if (this.key?.id !== id) return; // started over meanwhile
      if (name === "status") {
        if (data.state === "bot") this.streaming = { id: item.id, text: "" };
        this.#changed();
      } else if (name === "delta") {
        this.streaming = { id: item.id, text: (this.streaming?.text || "") + data.text };
        this.#changed();
      } else if (name === "error") {
        throw new ApiError(503, data.error, data.retry_after);
      } else if (name === "reply") {
        await this.#answered(item, data);
        return;
      }
    }
    throw new TypeError("the connection broke"); // no reply came: ask again with the same id
  }

  async #answered(item, answer) {
    this.streaming = null;
    const now = new Date().toISOString();
    this.#take([
      { id: answer.message_id, role: "customer", text: item.title || item.text, files: item.files, client_message_id: item.id, created_at: now },
      ...(answer.reply
        ? [{ id: answer.turn_id, role: "bot", text: answer.reply.text, kind: answer.reply.kind, reply: answer.reply, created_at: now }]
        : []),
    ]);
    this.#setState(answer.state);
  }

  /** Ask for a person. Without network, or where the conversation is gone, the wish waits among the messages. */
  async handover(title) {
    try {
      if (!this.key) await this.#start();
      await this.#move("/handover");
    } catch (error) {
      if (![undefined, 401, 404].includes(error.status)) throw error;
      if (!this.outbox.items.some((item) => item.handover)) this.send("", title, undefined, true);
    }
  }

  /** To a person, back to the bot, to its end: the other tabs hear of it. */
  async #move(path, body = {}) {
    const { id } = this.key;
    const { state } = await this.#call(path, body);
    if (this.key?.id === id) this.#setState(state);
    this.channel?.postMessage("news");
  }

  resume() { return this.#move("/resume"); }

  /** A thumb shows at once, and is drawn back where the server has not taken it. */
  async vote(turn, vote) {
    const before = turn.vote;
    Object.assign(turn, { vote, voting: true });
    this.#changed();
    try {
      await this.#call(`/turns/${turn.id}/feedback`, { vote });
    } catch (error) {
      turn.vote = before;
      throw error;
    } finally {
      turn.voting = false;
      this.#changed();
    }
  }

  /** The visitor ends it, or gives a mark from 1 to 5 to one that has ended. */
  close(csat, comment) { return this.#move("/close", csat ? { csat, comment } : {}); }

  /** Start anew. The old conversation stays with the company; this browser forgets its token. */
  reset() {
    if (this.key) this.#call("/close", {}).catch(() => {});
    this.outbox.clear();
    this.#forget();
    this.channel?.postMessage("reset");
  }

  #forget() {
    this.#following?.abort();
    this.#forgotten += 1;
    this.#starting = null;
    this.key = null;
    this.turns = [];
    this.#last = 0;
    this.streaming = null;
    this.contents.forget();
    this.storage.set("conversation", null);
    this.storage.set("seen", this.#seenElsewhere = 0);
    this.#setState("bot");
    this.#changed();
  }

  #forgetIfGone(error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 401)) {
      this.#forget();
      this.dispatchEvent(new CustomEvent("lost"));
    }
  }

  #call(path, body) {
    return call(`/conversations/${this.key.id}${path}`, { token: this.key.token, body });
  }

  #take(turns) {
    const known = new Map(this.turns.map((turn) => [turn.id, turn]));
    const fresh = turns.filter((turn) => !known.has(turn.id));
    for (const turn of turns) known.set(turn.id, { ...known.get(turn.id), ...turn });
    // An answer stands below the message it answers, even where the next message was stored before it.
    const place = (turn) => turn.reply_to || turn.id;
    this.turns = [...known.values()].sort((a, b) => place(a) - place(b) || a.id - b.id);
    this.#last = Math.max(this.#last, ...turns.map((turn) => turn.id));
    this.outbox.drop(this.turns.map((turn) => turn.client_message_id));
    if (fresh.some((turn) => turn.role === "agent")) this.typing = false;
    if (fresh.length) this.dispatchEvent(new CustomEvent("turns", { detail: fresh }));
  }

  #setState(state) {
    if (this.state !== state) {
      this.state = state;
      this.#changed();
    }
    if (state !== "human") this.typing = false;
    if (state === "waiting" || state === "human") this.#follow();
    else this.#following?.abort();
  }

  /** Hear what a person says. The tab that gets the lock holds the connection and tells the others. */
  async #follow() {
    if (this.#following && !this.#following.signal.aborted) return;
    const stop = (this.#following = new AbortController());
    const { signal } = stop;
    try {
      await locked(`${this.storage.prefix}follow`, { signal }, async () => {
        let missed = 0;
        while (!signal.aborted && this.key && ["waiting", "human"].includes(this.state)) {
          if (document.hidden && missed) { await wait(1000, signal); continue; }
          const line = (this.#line = new AbortController());
          line.shown = this.seeing;
          signal.onabort = () => line.abort();
          try {
            for await (const { name, data } of events(`/conversations/${this.key.id}/events?after=${this.#last}&shown=${+line.shown}`, { token: this.key.token, signal: line.signal })) {
              missed = 0;
              if (name === "turn") { this.#take([data]); this.channel?.postMessage("news"); }
              if (name === "typing") { this.typing = data.typing; this.channel?.postMessage(data); }
              if (name === "state") { this.#setState(data.state); this.channel?.postMessage("news"); }
              this.#changed();
            }
          } catch (error) {
            if (signal.aborted) return;
            if (line.signal.aborted) continue; // the panel was opened or closed
            this.#forgetIfGone(error);
            // A server whose open connections are all taken is asked at a steady pace, a silent one ever less often.
            const pause = error.code === "too_many_streams" ? BUSY_MS[this.state] : POLL_MS[Math.min(missed++, POLL_MS.length - 1)];
            await wait(pause || POLL_MS[0], signal);
            if (!signal.aborted && this.key) await this.refresh().catch(() => {});
          }
        }
        this.#line = null;
      });
    } catch { /* aborted while another tab had the lock */ } finally {
      if (this.#following === stop) this.#following = null;
    }
  }

  #heard(message) {
    if (message === "reset") {
      this.outbox.items = []; // what is stored by now belongs to the new conversation
      this.#forget();
      return;
    }
    if (message?.typing !== undefined) {
      this.typing = message.typing;
      this.#changed();
      return;
    }
    if (message?.seen) {
      this.#seenElsewhere = message.seen;
      this.#changed();
      return;
    }
    this.#merge();
    if (this.key) this.refresh().catch(() => {});
  }

  /** Another tab may have begun the conversation, and writes to the same outbox. */
  #merge() {
    this.key = this.storage.get("conversation") || this.key;
    this.outbox.merge();
  }

  #changed() {
    this.dispatchEvent(new CustomEvent("change"));
  }
}
