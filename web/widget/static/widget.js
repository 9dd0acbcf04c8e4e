/* Frontdesk's loader: a button and a frame on the company's page, nothing else.
 *
 *   <script async src="https://HOST/widget.js" data-site="default"></script>
 *
 * Optional: data-locale, data-position="left|right", data-theme="light|dark", data-open.
 * (data-preview is the theme builder's: a made-up conversation that goes nowhere.)
 * Commands, before or after it has loaded:  Frontdesk("open" | "close" | "toggle" | "reset"),
 * Frontdesk("ask", text), Frontdesk("setUser", {jwt}), Frontdesk("setLocale", "zh"), Frontdesk("setTheme", "dark"),
 * Frontdesk("on", "ready" | "open" | "close" | "unread" | "message", f).
 * To call it before it has loaded:
 *   window.Frontdesk = window.Frontdesk || function () { (Frontdesk.q = Frontdesk.q || []).push(arguments) }
 *
 * The host page's own policy must allow script-src HOST and frame-src HOST; nothing inline is used.
 */
(() => {
  "use strict";
  const stub = window.Frontdesk;
  if (stub && stub.loaded) return; // the snippet is on the page twice
  const script = document.currentScript || document.querySelector('script[src*="/widget.js"]');
  const base = new URL(script.src).origin;
  const data = script.dataset;
  const site = data.site || "default";
  const full = matchMedia("(max-width: 480px), (max-height: 480px)"); // phones, and large zoom
  const listeners = { ready: [], open: [], close: [], unread: [], message: [] };
  const waiting = []; // messages for the frame until it is ready
  let ready = false;
  let open = false;
  let unread = 0;
  let hidden = false; // outside the hours of a site that shows no button then
  let frame, host, panel, button, badge, words, sheet, edges;

  const shelf = `frontdesk:${site}`; // where the page keeps what a frame goes on from that may keep nothing itself

  const recall = () => {
    try { return JSON.parse(localStorage.getItem(shelf)); } catch { return null; }
  };

  const locale = () => data.locale || document.documentElement.lang || navigator.language || "en";

  const style = (side) => `
    :host { all: initial; }
    /* tokens */
    button, .panel { position: fixed; z-index: 2147483000; ${side}: max(20px, env(safe-area-inset-${side})); }
    button {
      bottom: max(20px, env(safe-area-inset-bottom)); width: 56px; height: 56px; padding: 0; border: 0;
      border-radius: var(--launcher, 50%); background: var(--accent); color: var(--on-accent); cursor: pointer;
      box-shadow: var(--float); display: grid; place-items: center; opacity: 0; transform: scale(.8);
      transition: opacity var(--quick), transform var(--quick);
    }
    button[hidden] { display: none; }
    button.ready { opacity: 1; transform: none; }
    button:hover { transform: scale(1.05); }
    button:active { transform: scale(.97); }
    button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
    svg { width: 26px; height: 26px; grid-area: 1 / 1; fill: none; stroke: currentColor; stroke-width: 1.8;
      stroke-linecap: round; stroke-linejoin: round; transition: opacity var(--quick), transform var(--quick); }
    .cross, .open .bubble { opacity: 0; transform: rotate(-30deg) scale(.7); }
    .open .cross { opacity: 1; transform: none; }
    .badge { position: absolute; top: -3px; inset-inline-end: -3px; min-width: 20px; height: 20px; padding: 0 5px;
      box-sizing: border-box; border-radius: 10px; background: var(--bad); color: var(--surface);
      font: 600 12px/20px system-ui, sans-serif; text-align: center; }
    .badge[hidden] { display: none; }
    .panel {
      bottom: calc(max(20px, env(safe-area-inset-bottom)) + 72px); width: 400px; height: min(680px, 100dvh - 120px);
      border-radius: var(--corners, 18px); overflow: hidden; background: Canvas; visibility: hidden; opacity: 0;
      transform: translateY(10px) scale(.985); transform-origin: bottom ${side};
      box-shadow: var(--float);
      transition: opacity var(--quick), transform var(--quick), visibility 0s var(--quick);
    }
    .panel.open { visibility: visible; opacity: 1; transform: none; transition-delay: 0s; }
    iframe { width: 100%; height: 100%; border: 0; display: block; color-scheme: light dark; }
    @media ${full.media} {
      .panel { inset: 0; width: 100%; height: 100dvh; border-radius: 0; box-shadow: none; }
      button.open { visibility: hidden; }
    }
    @media (prefers-reduced-motion: reduce) { button, svg, .panel { transition: none; transform: none !important; } }
    @media print { :host { display: none; } }`;

  const ICONS = {
    bubble: "M12 3.5c5 0 9 3.4 9 7.7s-4 7.7-9 7.7c-1 0-2-.1-2.9-.4L4.5 20.5l1-3.7C4 15.4 3 13.4 3 11.2 3 6.9 7 3.5 12 3.5Z",
    cross: "M6 6l12 12M18 6L6 18",
  };

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", name);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  function build() {
    host = document.createElement("frontdesk-widget");
    const root = host.attachShadow({ mode: "open" });
    sheet = new CSSStyleSheet(); // a constructed sheet needs no style-src on the host page
    place("right");
    root.adoptedStyleSheets = [sheet];

    panel = document.createElement("div");
    panel.className = "panel";
    panel.setAttribute("role", "dialog");
    frame = document.createElement("iframe");
    const query = new URLSearchParams({ site, locale: locale() });
    for (const name of ["theme", "preview"]) if (name in data) query.set(name, data[name]);
    frame.src = `${base}/widget/frame?${query}`;
    frame.title = "Chat";
    frame.allow = "clipboard-write";
    frame.addEventListener("load", () => post("hello", { kept: recall() }));
    edges = ["last", "first"].map((edge) => { // over the whole screen the focus goes round inside
      const element = document.createElement("div");
      element.addEventListener("focus", () => { frame.focus(); post("focus", { edge }); });
      return element;
    });
    panel.append(edges[0], frame, edges[1]);
    full.addEventListener("change", trap);

    button = document.createElement("button");
    button.type = "button";
    button.hidden = true; // until the frame says that it works here, and in which colour
    button.setAttribute("aria-expanded", "false");
    badge = document.createElement("span");
    badge.className = "badge";
    badge.hidden = true;
    button.append(icon("bubble"), icon("cross"), badge);
    button.addEventListener("click", () => commands.toggle());
    root.append(panel, button);
    addEventListener("message", receive);
    document.body.append(host);
    setTimeout(() => {
      if (!ready) console.warn(`Frontdesk: ${base} does not answer here. Is ${location.origin} an allowed origin of the site “${site}”?`);
    }, 8000);
  }

  function place(side) {
    sheet.replaceSync(style(data.position === "left" || data.position === "right" ? data.position : side));
  }

  function trap() {
    const modal = open && full.matches;
    panel.setAttribute("aria-modal", String(modal));
    for (const edge of edges) edge.tabIndex = modal ? 0 : -1;
    document.documentElement.style.overflow = modal ? "hidden" : "";
  }

  function post(type, detail) {
    frame.contentWindow.postMessage({ frontdesk: type, ...detail }, base);
  }

  function tell(type, detail) {
    if (ready) post(type, detail);
    else waiting.push([type, detail]);
  }

  function receive(event) {
    if (event.origin !== base || event.source !== frame.contentWindow) return; // nobody else may speak for the frame
    const { frontdesk: type } = event.data || {};
    if (type === "ready") {
      host.style.setProperty("--accent", event.data.accent);
      host.style.setProperty("--on-accent", event.data.onAccent);
      const [corners, launcher] = { soft: ["10px", "16px"], square: ["3px", "6px"] }[event.data.corners] || ["18px", "50%"];
      host.style.setProperty("--corners", corners);
      host.style.setProperty("--launcher", launcher);
      place(event.data.position === "left" ? "left" : "right");
      relabel(event.data);
      const again = ready; // the frame was loaded anew
      ready = true;
      show(event.data.hidden);
      if (again) return;
      requestAnimationFrame(() => button.classList.add("ready"));
      waiting.splice(0).forEach(([name, detail]) => post(name, detail));
      emit("ready");
    } else if (type === "close") {
      commands.close();
    } else if (type === "unread") {
      unread = open ? 0 : event.data.count | 0;
      badge.hidden = !unread;
      badge.textContent = unread > 9 ? "9+" : String(unread);
      relabel(words);
      emit("unread", unread);
    } else if (type === "hidden") {
      show(event.data.hidden);
    } else if (type === "locale") {
      relabel(event.data);
    } else if (type === "keep") {
      try { localStorage.setItem(shelf, JSON.stringify(event.data.kept)); } catch { /* a page may be refused as well */ }
    } else if (type === "message") {
      emit("message", event.data.message);
    }
  }

  /** The button, unless the site hides it just now; an open panel is closed with it. */
  function show(hide) {
    hidden = Boolean(hide);
    button.hidden = !ready || (hidden && !open);
  }

  function relabel(next) {
    words = next || {};
    frame.title = words.chat || "Chat";
    panel.setAttribute("aria-label", frame.title);
    button.setAttribute("aria-label", ((open ? words.closeChat : words.openChat) || "Chat") + (unread ? ` (${unread})` : ""));
  }

  function setOpen(next) {
    if (open === next || !panel) return;
    open = next;
    panel.classList.toggle("open", open);
    button.classList.toggle("open", open);
    button.setAttribute("aria-expanded", String(open));
    trap();
    show(hidden);
    if (open) {
      unread = 0;
      badge.hidden = true;
      if (!("preview" in data)) frame.focus();
    } else if (document.activeElement === host) {
      button.focus();
    }
    relabel(words);
    tell(open ? "show" : "hide", { at: location.href });
    emit(open ? "open" : "close");
  }

  function emit(name, value) {
    for (const listener of listeners[name]) {
      try { listener(value); } catch (error) { console.error(error); }
    }
  }

  const commands = {
    open: () => setOpen(true),
    close: () => setOpen(false),
    toggle: () => setOpen(!open),
    ask: (text) => { setOpen(true); tell("ask", { text: String(text) }); },
    setUser: (user) => tell("setUser", { user: user ? { ...user } : null }),
    setLocale: (value) => { data.locale = String(value); tell("setLocale", { locale: String(value) }); },
    setTheme: (value) => tell("setTheme", { theme: String(value) }),
    reset: () => tell("reset"),
    on: (name, listener) => {
      if (!listeners[name]) throw new Error(`Frontdesk has no event “${name}”`);
      listeners[name].push(listener);
      if (name === "ready" && ready) listener();
    },
  };

  const api = (name, ...args) => {
    if (!commands[name]) throw new Error(`Frontdesk has no command “${name}”`);
    return commands[name](...args);
  };
  window.Frontdesk = Object.assign(api, commands, { loaded: true });

  function start() {
    build();
    for (const call of (stub && stub.q) || []) api(...call);
    if ("open" in data) commands.open();
  }
  if (document.body) start();
  else addEventListener("DOMContentLoaded", start, { once: true });
})();
