// The theme builder's rehearsal: the real chat with a made-up conversation. Nothing is sent, stored or remembered.

/** `scenes` by language: {question, answer, source}. `stage` is what app.js lets it move. */
export function rehearse({ config, conversation, stage }) {
  const { addEventListener, location, parent } = globalThis;
  const kept = new Map();
  let scene = "";
  let last = 0;

  const say = (role, text, more) => ({ id: ++last, role, text, created_at: new Date().toISOString(), ...more });
  const answer = ({ answer: text, source }) =>
    say("bot", text, { kind: "passage", reply: { parts: [{ text, kind: "passage", sources: [{ title: source, url: "", quote: text }], choices: [] }], suggestions: [] } });
  const words = () => config.preview[conversation.locale] || config.preview.en;

  function play() {
    const { question } = words();
    const talked = scene === "talk" || scene === "end";
    conversation.key = talked ? { id: "preview", token: "" } : null;
    conversation.details = scene === "form" ? null : {};
    conversation.state = scene === "end" ? "closed" : "bot";
    conversation.storage.set("rated", null);
    conversation.turns = talked ? [say("customer", question), answer(words())] : [];
    conversation.outbox.clear();
    stage.again();
  }

  Object.assign(conversation.storage, { get: (name) => kept.get(name) ?? null, set: (name, value) => kept.set(name, value) });
  Object.assign(conversation, {
    send(text, title) {
      conversation.details = {};
      conversation.state = "bot";
      conversation.turns = [...conversation.turns, say("customer", title || text), answer(words())];
      stage.again();
    },
    vote: async (turn, vote) => { turn.vote = vote; stage.again(); },
    tell: () => { conversation.details = {}; stage.again(); },
    handover: async () => { conversation.state = "waiting"; stage.again(); },
    resume: async () => { conversation.state = "bot"; stage.again(); },
    close: async () => { conversation.state = "closed"; stage.again(); },
    upload: async (file) => ({ id: "preview", name: file.name, type: file.type, bytes: file.size }),
    reset: () => { scene = "start"; play(); },
    flush() {},
    refresh: async () => {},
  });

  addEventListener("message", async ({ origin, source, data }) => {
    if (origin !== location.origin || source !== parent || data?.frontdesk !== "look") return;
    const { locale, scene: wanted, ...look } = data.look;
    const other = wanted !== scene || locale !== conversation.locale;
    Object.assign(config, look, wanted === "form" ? {} : { prechat: [] });
    await stage.speak(locale);
    stage.dress();
    scene = wanted;
    if (other) play();
    else stage.again();
  });
  parent.postMessage({ frontdesk: "rehearsing" }, location.origin);
}
