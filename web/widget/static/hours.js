// Whether a person is there: the site's opening hours, and whether its button is hidden outside them.

import { call } from "./transport.js";

const AGAIN_MS = 300000;

export class Hours {
  away = null; // outside them: {opens_in_words}
  #timer = 0;

  constructor(config, changed) {
    Object.assign(this, { config, changed, hidden: config.hidden });
    if (config.hides) document.addEventListener("visibilitychange", () => this.ask());
  }

  /** Nothing changes while it cannot be asked. Where the button is hidden it is asked again when they begin or end, and
   * every few minutes, as they may change. */
  async ask(locale = this.locale) {
    const { hours, hides, site } = this.config;
    if (!hours) return;
    this.locale = locale;
    const again = (milliseconds) => {
      clearTimeout(this.#timer);
      if (hides) this.#timer = setTimeout(() => this.ask(), milliseconds);
    };
    again(AGAIN_MS);
    if (hides && document.hidden) return;
    const told = await call(`/hours?${new URLSearchParams({ site, locale })}`).catch(() => null);
    if (!told) return;
    this.away = told.open ? null : told;
    this.hidden = told.hide;
    const change = Date.parse(told.opens_at || told.closes_at) - Date.now();
    if (change < AGAIN_MS) again(Math.max(change, 1000));
    this.changed();
  }
}
