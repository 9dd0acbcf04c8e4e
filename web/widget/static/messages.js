// The one table of messages between the page (widget.js) and the frame (app.js). widget.js is a classic script and
// repeats the names it uses; tests/web/test_widget.py holds the two against each other.
export const TO_FRAME = ["hello", "show", "hide", "ask", "setLocale", "setTheme", "setUser", "focus", "reset"];
export const TO_PAGE = ["ready", "close", "unread", "locale", "message", "hidden", "keep"];

/** Speaks with the page around the frame once it has said hello from an allowed origin; `heard` gets what it says.
 * Returns what tells it something, and whether it is there to hear it. */
export function pageAround({ mode, parents }, heard) {
  let page = null; // its origin
  const allowed = (origin) => parents.some((entry) => {
    if (entry === "*" || entry === origin) return true;
    const [scheme, domain] = entry.split("://*.");
    return domain !== undefined && origin.startsWith(`${scheme}://`) && origin.endsWith(`.${domain}`);
  });
  if (mode === "frame") {
    addEventListener("message", ({ source, origin, data }) => {
      if (source !== parent || !allowed(origin) || !TO_FRAME.includes(data?.frontdesk)) return;
      if (data.frontdesk === "hello") page = origin;
      if (origin === page) heard(data.frontdesk, data);
    });
  }
  return (type, detail) => {
    if (page) parent.postMessage({ frontdesk: type, ...detail }, page);
    return Boolean(page);
  };
}
