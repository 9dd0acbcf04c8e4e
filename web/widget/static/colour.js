// The company's one accent colour, made readable: WCAG 2.2, 1.4.3 (contrast of at least 4.5 to 1).

function parse(hex) {
  const digits = /^#?([0-9a-f]{6})$/i.exec(hex || "")?.[1] || "0f766e";
  return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16));
}

const hex = (rgb) => "#" + rgb.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("");

function luminance(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(one, other) {
  const [high, low] = [luminance(parse(one)), luminance(parse(other))].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** `accent`, mixed with black or white until text in it can be read on `background`. */
export function readable(accent, background) {
  const towards = luminance(parse(background)) > 0.5 ? 0 : 255;
  const start = parse(accent);
  for (let share = 0; share <= 1; share += 0.05) {
    const mixed = hex(start.map((value) => value + (towards - value) * share));
    if (contrast(mixed, background) >= 4.6) return mixed;
  }
  return towards ? "#ffffff" : "#000000";
}

/** White where it can be read on `accent`, else near-black. */
export const on = (accent) => (contrast(accent, "#ffffff") >= 4.5 ? "#ffffff" : "#10201d");

export const clean = (accent) => hex(parse(accent));

/** A colour of the page's style as it is just now. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
