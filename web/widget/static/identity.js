// Who this browser's visitor is, as far as that can be told without the server.

/** Whom the host page names; of a JWT it is read to notice that it is another one: the server alone believes it. */
export function nameOf(user) {
  if (!user) return user;
  try {
    return String(user.id ?? JSON.parse(atob(user.jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub);
  } catch {
    return "";
  }
}

/** The way back that an e-mail offers: behind the #, where no server and no other page sees it. */
export function keyFromLink({ mode }) {
  const [, id, token] = (mode === "page" && /^#c=([\w-]+)&k=([\w.-]+)$/.exec(location.hash)) || [];
  if (!id) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return { id, token };
}
