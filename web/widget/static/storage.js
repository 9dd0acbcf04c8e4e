// What one browser remembers of one site's chat: the conversation and its token, and messages not sent yet.
// A browser may refuse a frame of another site all storage. Then the page around it keeps what goes on (docs/security.md).

const OURS = ["details", "draft"]; // what a visitor has typed for us alone: lost rather than left with the page

export class Storage {
  #memory = null; // stands in from the first time that the browser refuses
  keep = null; // told everything that is to be kept elsewhere, where the browser refused from the start

  constructor(site) {
    this.prefix = `frontdesk.${site}.`;
    try {
      localStorage.getItem(this.prefix);
    } catch {
      this.#memory = new Map();
      this.refused = true;
    }
  }

  /** What the page around has kept of this. */
  recall(kept) {
    for (const [name, value] of Object.entries(kept || {})) this.#memory.set(name, value);
    const { id } = this.get("conversation") || {};
    if (!/^[\w-]+$/.test(id || ".")) this.#memory.delete("conversation"); // it becomes part of an address
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
      if (this.refused && !OURS.includes(name)) this.keep?.(Object.fromEntries([...this.#memory].filter(([one, what]) => what !== null && !OURS.includes(one))));
    }
  }
}

/** Does the job while no other tab does one of this name. */
export async function locked(name, options, job) {
  try {
    return await navigator.locks.request(name, options, job);
  } catch (error) { // no locks, or none for a frame of another site: each tab for itself
    if (navigator.locks && error.name !== "SecurityError") throw error;
    return job({});
  }
}

/** A random id; crypto.randomUUID exists on https and localhost only. */
export function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
