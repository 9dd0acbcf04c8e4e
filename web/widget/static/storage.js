// What one browser remembers of one site's chat: the conversation and its token, and messages not sent yet.
// A browser that blocks storage still gets a chat, only none that survives a reload.

export class Storage {
  #memory = null; // stands in from the first time that the browser refuses

  constructor(site) {
    this.prefix = `frontdesk.${site}.`;
  }

  get(name) {
    if (this.#memory?.has(name)) return this.#memory.get(name);
    try {
      return JSON.parse(localStorage.getItem(this.prefix + name));
    } catch {
      return null;
    }
  }

  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(this.prefix + name);
      else localStorage.setItem(this.prefix + name, JSON.stringify(value));
      this.#memory?.delete(name);
    } catch {
      (this.#memory ||= new Map()).set(name, value);
    }
  }
}

/** A random id; crypto.randomUUID exists on https and localhost only. */
export function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
