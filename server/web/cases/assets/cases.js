// Letters of the keyboard lead to what can be done, an explanation is saved as it is typed, and a form is sent once. Without this
// script all of it is done with Tab, Enter and the button that saves.
"use strict";

// A letter opens what it stands beside and puts the focus there; where the focus is there already it presses it. It does nothing
// while somebody types, and can be switched off.
const off = "hailong-letters-off";
let letters = localStorage.getItem(off) !== "1";
const typing = element => element.closest("input:not([type=radio]):not([type=checkbox]), select, textarea, [contenteditable]");
document.addEventListener("keydown", event => {
  if (!letters || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat || typing(event.target)) return;
  const at = document.querySelector(`[data-letter="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!at) return;
  event.preventDefault();
  if (at.tagName !== "SUMMARY") return at.click();
  for (let box = at.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  const go = at.parentElement.querySelector("a.button, .case-taps button, textarea, select, .field:not(.case-picker *) input") ?? at.parentElement.querySelector("[data-go]");
  if (go === document.activeElement) return go.click(); // a button; in a field the letter is typed
  (go ?? at).focus();
  at.scrollIntoView({block: "nearest"});
});
for (const help of document.querySelectorAll("[data-letters-help]")) {
  const button = help.querySelector("[data-letters]");
  const show = () => {
    button.textContent = letters ? button.dataset.off : button.dataset.on;
    document.documentElement.toggleAttribute("data-no-letters", !letters);
  };
  help.hidden = false;
  button.addEventListener("click", () => {
    letters = !letters;
    localStorage.setItem(off, letters ? "0" : "1");
    show();
  });
  show();
}

// An explanation is saved a second after the last key, with the version it was typed on: where another tab saved meanwhile nothing
// is written over, and both ways on are offered.
for (const form of document.querySelectorAll("form[data-draft]")) {
  const said = form.querySelector("[data-saved]"), conflict = form.querySelector("[data-conflict]"), version = form.elements.draft;
  let timer = 0, saving = false, again = false, met = false;
  const save = async () => {
    if (saving || met) {
      again = true;
      return;
    }
    saving = true;
    again = false;
    const body = new FormData(form);
    body.delete("files");
    try {
      const answer = await fetch(form.dataset.draft, {method: "POST", body});
      if (answer.status === 401) {
        said.textContent = form.dataset.ended;
      } else if (answer.status === 409) {
        const theirs = await answer.json();
        met = true;
        conflict.hidden = false;
        conflict.dataset.version = theirs.version;
        said.textContent = theirs.words;
      } else if (answer.ok) {
        const kept = await answer.json();
        version.value = kept.version;
        said.textContent = kept.words;
      } else {
        said.textContent = form.dataset.lost;
      }
    } catch {
      said.textContent = form.dataset.lost;
      again = true;
    }
    saving = false;
    if (again && !met) timer = setTimeout(save, 3000);
  };
  const soon = event => {
    if (event.target.type === "file") return;
    clearTimeout(timer);
    timer = setTimeout(save, 1000);
  };
  form.addEventListener("input", soon);
  form.addEventListener("submit", () => clearTimeout(timer));
  conflict.querySelector("[data-keep]").addEventListener("click", () => {
    version.value = conflict.dataset.version;
    met = false;
    conflict.hidden = true;
    save();
  });
}

// A form is sent once: a second press before the answer came sends nothing.
for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", event => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => { sent = false; });
}
