// The one table of messages between the page (widget.js) and the frame (app.js). widget.js is a classic script and
// repeats the names it uses; tests/web/test_widget.py holds the two against each other.
export const TO_FRAME = ["hello", "show", "hide", "ask", "setLocale", "setTheme", "setUser", "focus", "reset"];
export const TO_PAGE = ["ready", "close", "unread", "locale", "message"];
