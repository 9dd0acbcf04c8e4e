// Small comforts; every page works without them (the job page then reloads by hand).
"use strict";

const side = document.querySelector(".side");
const toggle = document.querySelector(".menu-toggle");
if (side && toggle) {
  toggle.addEventListener("click", () => {
    toggle.setAttribute("aria-expanded", String(side.classList.toggle("open")));
  });
}

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
}, { capture: true }); // before a form says that it is under way

for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => {
    const pressed = event.submitter ?? form.querySelector("button[type=submit]");
    if (!pressed || event.defaultPrevented) return;
    // After the form was read: a disabled button would not be sent along.
    setTimeout(() => {
      // those outside it that belong to it, too
      for (const field of form.elements) if (field.type === "submit") field.disabled = true;
      pressed.textContent = form.dataset.busy;
    });
  });
}

for (const range of document.querySelectorAll("input[type=range][data-shows]")) {
  const shown = document.getElementById(range.dataset.shows);
  const show = () => {
    shown.textContent = `${Math.round(range.value * 100)} %`;
  };
  range.addEventListener("input", show);
  show();
}

// What a setting costs, said of the value that the slider stands at.
for (const told of document.querySelectorAll("[data-costs-of]")) {
  const range = document.getElementById(told.dataset.costsOf);
  const costs = JSON.parse(told.dataset.costs);
  range.addEventListener("input", () => {
    const [answered, wrong] = costs[Math.round(range.value * 100)];
    told.textContent = told.dataset.sentence.replace("{answered}", answered).replace("{wrong}", wrong);
  });
}

for (const field of document.querySelectorAll("[data-select-all]")) {
  field.addEventListener("focus", () => field.select());
}

// --- a list of which some are ticked -----------------------------------------------------------------------

for (const all of document.querySelectorAll("[data-tick-all]")) {
  const boxes = [...document.querySelectorAll(`input[type=checkbox][name="${CSS.escape(all.dataset.tickAll)}"]`)];
  const told = all.parentElement.querySelector("[data-ticked]");
  const plain = told.textContent;
  const tell = () => {
    const number = boxes.filter((box) => box.checked).length;
    all.checked = number === boxes.length;
    all.indeterminate = number > 0 && !all.checked;
    told.textContent = number ? told.dataset.text.replace("{number}", number) : plain;
  };
  all.hidden = false; // without scripts it would do nothing
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  for (const box of boxes) box.addEventListener("change", tell);
  tell(); // a browser that goes back keeps the ticks
}

// --- files -------------------------------------------------------------------------------------------------

for (const drop of document.querySelectorAll(".drop")) {
  const input = drop.querySelector("input[type=file]");
  const told = document.getElementById(drop.dataset.told);
  const limit = Number(drop.dataset.limit);
  const tell = () => {
    const files = [...input.files];
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    const megabytes = (bytes / 1048576).toFixed(bytes < 10485760 ? 1 : 0);
    const tooLarge = bytes > limit;
    told.textContent = files.length ? `${files.map((file) => file.name).join(", ")} (${megabytes} MB)` : "";
    input.setCustomValidity(tooLarge ? drop.dataset.tooLarge : "");
    if (tooLarge) input.reportValidity();
  };
  input.addEventListener("change", tell);
  if (input.files.length) tell(); // a quick hand, or a browser that goes back: chosen before this runs
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    input.files = event.dataTransfer.files;
    tell();
  });
}

// --- a button that needs some fields of its form, where its neighbours need none ---------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-needs]");
  if (!button) return;
  const fields = button.dataset.needs.split(" ").map((name) => button.form.elements[name]);
  for (const field of fields) field.required = true;
  if (!button.form.reportValidity()) event.preventDefault(); // the browser says which one, and the page stays
  for (const field of fields) field.required = false;
});

// --- deciding by keystroke ---------------------------------------------------------------------------------

const decisions = document.querySelector("[data-keys]");
if (decisions) {
  const items = [...decisions.querySelectorAll("[data-item]")];
  let at = -1;
  const go = (to) => {
    at = Math.max(0, Math.min(items.length - 1, to));
    items[at].focus();
    items[at].scrollIntoView({ block: "nearest" });
  };
  decisions.addEventListener("focusin", (event) => {
    const item = event.target.closest("[data-item]");
    if (item) at = items.indexOf(item);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select");
    if (typing) {
      if (event.key === "Escape" && at >= 0) items[at].focus();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === "j" || event.key === "k") return go(at < 0 ? 0 : at + (event.key === "j" ? 1 : -1));
    const button = items[Math.max(at, 0)]?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!button) return;
    event.preventDefault();
    const folded = button.closest("details");
    if (folded && !folded.open) folded.open = true; // the first press shows what the second one makes
    else button.click();
  });
  // the page comes back after a decision: go on with the next one at once
  if (items.length && document.referrer === window.location.href) go(0);
}

// --- a job under way ---------------------------------------------------------------------------------------

const job = document.querySelector("[data-job]");
if (job) follow(job);

async function follow(element) {
  const bar = element.querySelector("progress");
  const stage = element.querySelector("[data-stage]");
  const share = element.querySelector("[data-share]");
  let pause = 700;
  let drawn = "";
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, document.hidden ? 5000 : pause));
    let state;
    try {
      const answer = await fetch(element.dataset.job, { headers: { Accept: "application/json" } });
      if (answer.status === 401) return window.location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      state = await answer.json();
      pause = 700;
    } catch {
      pause = Math.min(pause * 2, 15000); // the server restarts, the network is away: keep looking
      continue;
    }
    if (!state.open) return window.location.reload();
    bar.value = state.progress;
    share.textContent = `${Math.round(state.progress * 100)} %`;
    stage.textContent = state.stage;
    if (state.curves && state.curves !== drawn) {
      drawn = state.curves;
      // pictures that our own server made of numbers
      element.querySelector("[data-curves]").replaceChildren(document.createRange().createContextualFragment(drawn));
    }
  }
}

// --- copying -----------------------------------------------------------------------------------------------

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
    } catch {
      // no clipboard without https: mark the text, so that one keystroke copies it
      window.getSelection().selectAllChildren(source);
      return;
    }
    const before = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => {
      button.textContent = before;
    }, 1500);
  });
}

// --- why an answer was given: the words are weighed when somebody asks ---------------------------------------

for (const details of document.querySelectorAll("details[data-words]")) {
  details.addEventListener("toggle", async () => {
    const place = details.querySelector("[data-place]");
    if (!details.open || place.dataset.asked) return;
    place.dataset.asked = "yes";
    const answer = await fetch(details.dataset.words, { headers: { Accept: "text/html" } });
    // a piece of our own page, escaped where it was made
    if (answer.ok) place.append(document.createRange().createContextualFragment(await answer.text()));
  });
}
