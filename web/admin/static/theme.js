// The theme builder: what the form says is shown at once in the preview, which is the real widget.

const form = document.getElementById("look");
const preview = document.getElementById("preview");
const accent = document.getElementById("accent");
const picker = document.getElementById("picker");
const told = document.getElementById("contrast");
const unsaved = document.getElementById("unsaved");
const locale = document.getElementById("preview-locale");
const { contrast, on, readable } = await import(form.dataset.colour);
let scene = "talk";

function look() {
  const value = (name) => new FormData(form).get(name);
  const inEach = (name) => Object.fromEntries([...locale.options].map(({ value: lang }) => [lang, value(`${name}_${lang}`)]));
  const asks = ["name", "email", "phone", "extra"].filter((name) => value(`ask_${name}`) !== "off");
  return {
    accent: accent.value,
    theme: value("theme"),
    corners: value("corners"),
    position: value("position"),
    title: value("title").trim() || document.getElementById("title").placeholder,
    greetings: inEach("greeting"),
    attachmentMb: Number(value("attachment_mb")),
    csat: form.elements.csat.checked,
    prechat: asks.map((name) => ({
      name,
      required: value(`ask_${name}`) === "required",
      label: name === "extra" ? inEach("label") : {},
    })),
    locale: locale.value,
    scene,
  };
}

function show() {
  const valid = accent.validity.valid && accent.value;
  if (valid) {
    picker.value = accent.value.toLowerCase();
    const words = JSON.parse(told.dataset.words);
    const white = contrast(accent.value, "#ffffff");
    const asText = readable(accent.value, form.dataset.ground);
    const ground = words[on(accent.value) === "#ffffff" ? "white" : "dark"].replace("{contrast}", white.toFixed(1));
    const text = asText === accent.value.toLowerCase() ? words.kept : words.light.replace("{colour}", asText);
    told.textContent = `${ground} ${text}`;
  }
  for (const one of document.querySelectorAll(".swatches button")) {
    one.setAttribute("aria-pressed", String(one.value === accent.value.toLowerCase()));
  }
  if (valid) preview.contentWindow.postMessage({ look: look() }, window.location.origin);
}

picker.hidden = false;
document.querySelector(".swatches").hidden = false;
picker.addEventListener("input", () => {
  accent.value = picker.value;
  accent.dispatchEvent(new Event("input", { bubbles: true }));
});
for (const one of document.querySelectorAll(".swatches button")) {
  one.addEventListener("click", () => {
    accent.value = one.value;
    accent.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
form.addEventListener("input", () => {
  unsaved.textContent = unsaved.dataset.words;
  show();
});
locale.addEventListener("change", show);

function press(buttons, chosen) {
  for (const one of buttons) one.setAttribute("aria-pressed", String(one === chosen));
}

const scenes = [...document.querySelectorAll("[data-scene]")];
for (const one of scenes) {
  one.addEventListener("click", () => {
    scene = one.dataset.scene;
    press(scenes, one);
    show();
  });
}
const sizes = [...document.querySelectorAll("[data-size]")];
for (const one of sizes) {
  one.addEventListener("click", () => {
    press(sizes, one);
    preview.parentElement.classList.toggle("phone", one.dataset.size === "phone");
  });
}

window.addEventListener("message", (event) => {
  if (event.origin === window.location.origin && event.source === preview.contentWindow && event.data?.preview) show();
});
show();
