// HTTP to the chat API: JSON calls, and server-sent events over fetch (EventSource can send no Authorization header,
// and a token has no place in a URL).

export class ApiError extends Error {
  constructor(status, error, retryAfter) {
    super(error?.message || `HTTP ${status}`);
    this.status = status;
    this.code = error?.code || "error";
    this.field = error?.field || "";
    this.retryAfter = retryAfter; // seconds
  }

  /** Whether the same request may well work a little later. */
  get passing() {
    return this.status === 429 || this.status >= 500;
  }
}

/** Why, as a key below `error` in the widget's words: the server's own are English. */
export const reason = ({ status, code }) => (!status ? "network" : status >= 500 ? "unavailable" : status === 401 ? "not_found" : code);

async function request(path, { token, body, method = body === undefined ? "GET" : "POST", accept = "application/json", signal } = {}) {
  const headers = { Accept: accept };
  if (token) headers.Authorization = `Bearer ${token}`;
  const form = body instanceof FormData; // the browser writes its Content-Type, with the boundary
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  const response = await fetch(`/api/v1${path}`, {
    method, headers, signal, credentials: "omit", cache: "no-store",
    body: body === undefined || form ? body : JSON.stringify(body),
  });
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    throw new ApiError(response.status, answer.error, Number(response.headers.get("Retry-After")) || 0);
  }
  return response;
}

export async function call(path, options) {
  return (await request(path, options)).json();
}

export async function blob(path, options) {
  return (await request(path, { ...options, accept: "*/*" })).blob();
}

/** Yields `{name, data}` for each event; ends with the stream. A JSON answer comes as one `reply` event. */
export async function* events(path, options) {
  const response = await request(path, { ...options, accept: "text/event-stream" });
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    yield { name: "reply", data: await response.json() };
    return;
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      buffer += decoder.decode(value, { stream: true });
      const blocks = buffer.split("\n\n");
      buffer = blocks.pop();
      for (const block of blocks) {
        const lines = block.split("\n");
        const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
        const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
        if (name) yield { name, data: JSON.parse(data) };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

export const wait = (milliseconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
