// Elements without innerHTML: h("p.note", {onclick}, "text", child).

export function h(spec, properties = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const PATHS = {
  send: "M12 19V5M6 11l6-6 6 6",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9l6 6 6-6",
  compose: "M4 20h4L19 9a2.800 2.800 0 0 0-4-4L4 16v4ZM13 7l4 4",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.500 20.500c.8-3.500 3.800-5.500 7.500-5.500s6.700 2 7.500 5.500",
  page: "M7 3.500h7l4 4v13H7zM14 3.500v4h4M10 12h5M10 16h5",
  check: "M5 12.500l4.500 4.500L19 7.500",
  spark: "M12 4l1.800 5.200L19 11l-5.200 1.800L12 18l-1.800-5.200L5 11l5.200-1.800ZM19 16v4M17 18h4",
  up: "M7 11v9H4v-9ZM7 11l4-7.500c1.500 0 2.500 1 2.500 2.500v3.500h5a2 2 0 0 1 2 2.400l-1.300 6.500a2 2 0 0 1-2 1.600H7",
  thumbDown: "M7 13V4H4v9ZM7 13l4 7.500c1.500 0 2.500-1 2.500-2.500v-3.500h5a2 2 0 0 0 2-2.400l-1.300-6.500a2 2 0 0 0-2-1.600H7",
  link: "M9 6h9v9M18 6L6 18",
  clip: "M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 4.700 4.700L9.500 17a1.700 1.700 0 0 1-2.400-2.400L14.500 7",
  bell: "M6 16v-5a6 6 0 0 1 12 0v5l1.500 2h-15ZM10 20.500h4",
  bubble: "M12 3.500c5 0 9 3.400 9 7.700s-4 7.700-9 7.700c-1 0-2-.1-2.900-.4L4.500 20.500l1-3.700C4 15.400 3 13.400 3 11.200 3 6.900 7 3.500 12 3.500Z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
