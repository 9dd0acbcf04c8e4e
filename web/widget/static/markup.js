// An answer's text as elements. Text only ever becomes text nodes: nothing that a customer, an agent or an article
// says can become markup. Known: paragraphs, lists, **bold**, `code`, [label](address), bare
// addresses, with https:// or without (shop.example/repair).

// Without https:// only these ends make an address: others are words or files ("that works.no idea", Node.js).
const INLINE = /\*\*([^*\n]+)\*\*|`([^`\n]+)`|\[([^\]\n]+)\]\(([^()\s]+)\)|(https?:\/\/[^\s<>"'，。；、）)]+[^\s<>"'，。；、）).,;:!?])|([\w.+-]+@[\w-]+(?:\.[\w-]+)+)|\b((?:[a-z0-9-]+\.)+(?:com|org|net|eu|shop|example|nl|de|uk|cn)(?:\/[\w~%#?&=+./-]*\w)?)(?![\w@-]|\.\w)/g;
const ITEM = /^\s*(?:[-*•]|(\d{1,3})[.)、])\s+(.*)$/;

/** The address where it is one that a link may lead to, else null. `base` is the installation's own origin. */
export function safeUrl(address, base = location.origin) {
  try {
    const url = new URL(address, base);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function link(label, address) {
  const href = safeUrl(address);
  if (!href) return document.createTextNode(label);
  const a = document.createElement("a");
  a.href = href;
  a.target = "_blank";
  a.rel = "noopener noreferrer";
  a.textContent = label;
  return a;
}

function inline(parent, text) {
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    parent.append(text.slice(from, match.index));
    from = match.index + match[0].length;
    const [, bold, code, label, address, url, mail, where] = match;
    if (bold || code) {
      const element = document.createElement(bold ? "strong" : "code");
      element.textContent = bold || code;
      parent.append(element);
    } else if (where && /[@./:-]$/.test(text.slice(0, match.index))) {
      parent.append(where);
    } else {
      const shown = label || url || mail || where;
      parent.append(link(shown, address || url || (mail ? "mailto:" : "https://") + shown));
    }
  }
  parent.append(text.slice(from));
  return parent;
}

export function render(text) {
  const out = document.createDocumentFragment();
  let list = null;
  let paragraph = null;
  for (const line of text.split("\n")) {
    const item = ITEM.exec(line);
    if (item) {
      paragraph = null;
      const tag = item[1] ? "OL" : "UL";
      if (!list || list.tagName !== tag) {
        list = document.createElement(tag);
        if (item[1] && item[1] !== "1") list.start = Number(item[1]);
        out.append(list);
      }
      list.append(inline(document.createElement("li"), item[2]));
    } else if (!line.trim()) {
      paragraph = null;
    } else {
      list = null;
      const heading = /^#{1,4}\s+(.*)$/.exec(line);
      if (paragraph && !heading) paragraph.append(document.createElement("br"));
      else out.append((paragraph = document.createElement("p")));
      if (heading) {
        const strong = document.createElement("strong");
        inline(strong, heading[1]);
        paragraph.append(strong);
        paragraph = null;
      } else {
        inline(paragraph, line);
      }
    }
  }
  return out;
}
