// Typing at the speed of paper: a key that answers a question goes on to the next one, Enter goes on too and at the end saves, a wrong
// key says so and changes nothing else. Without this script Tab goes on and Enter saves.
"use strict";
for (const form of document.querySelectorAll("form[data-typing]")) {
  const steps = [...form.querySelectorAll("[data-step]")].filter(step => !step.readOnly);
  const keep = new WeakMap(); // what stood in a field before the last key
  const go = (from, by) => {
    const to = steps[steps.indexOf(from) + by];
    if (to) {
      to.focus();
      if (to.select) to.select();
    } else if (by > 0) {
      form.requestSubmit();
    }
  };
  const say = (field, key) => {
    const error = document.getElementById(field.id + "-error");
    error.textContent = key ? error.dataset.wrong.replace("{key}", key) : "";
    field.toggleAttribute("aria-invalid", false);
    if (key) field.setAttribute("aria-invalid", "true");
    field.closest(".ask").classList.toggle("wrong", Boolean(key));
  };
  // known answers the key of the question that was meant, whether or not Shift was held; "" where it has none.
  const known = (field, key) => [key, key.toLowerCase()].find(one => field.dataset.keys.includes(one)) ?? "";
  const typed = field => {
    const many = "many" in field.dataset;
    let value = "", wrong = "", skip = false;
    for (const key of field.value) {
      const meant = known(field, key);
      if (key === "0" || key === " ") skip = true;
      else if (!meant) wrong = key;
      else if (!many) value = meant;
      else value = value.includes(meant) ? value.replace(meant, "") : value + meant; // a second time takes it back
    }
    if (wrong) {
      field.value = many ? value : keep.get(field) ?? "";
      say(field, wrong);
      if (!many) field.select();
      return;
    }
    say(field, "");
    if (skip && !value) value = "0";
    field.value = value;
    keep.set(field, value);
    if (value && (!many || skip)) go(field, 1);
  };
  for (const field of steps) {
    keep.set(field, field.value);
    if (field.dataset.keys !== undefined) {
      field.addEventListener("focus", () => field.select());
      field.addEventListener("input", event => {
        if (event.inputType && event.inputType.startsWith("delete")) {
          keep.set(field, field.value);
          return say(field, "");
        }
        typed(field);
      });
    }
    field.addEventListener("keydown", event => {
      if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        if (!event.repeat) go(field, 1); // a key held down does not run through the form
      } else if (event.key === "Backspace" && field.dataset.keys !== undefined && field.value === "") {
        event.preventDefault();
        go(field, -1);
      }
    });
  }
  // The letter of an Enter that was dealt with may yet come, to the field that has the focus now.
  form.addEventListener("keypress", event => {
    if (event.key === "Enter" && !event.shiftKey && event.target.dataset.step !== undefined) event.preventDefault();
  });
  let sent = false; // a second Enter before the answer came sends nothing
  form.addEventListener("submit", event => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => { sent = false; });
}
// The number of the slip stands large above the form and follows what is typed.
for (const shown of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(shown.dataset.shows);
  if (field) field.addEventListener("input", () => { shown.textContent = field.value.trim() || "…"; });
}
// The cursor stands where typing goes on before the first key comes, and what stands there is replaced by it.
const begin = document.querySelector("form[data-typing] [autofocus]");
if (begin) {
  begin.focus();
  if (begin.dataset.step !== undefined) begin.select();
}
for (const box of document.querySelectorAll("[data-print]")) {
  box.hidden = false;
  box.firstElementChild.addEventListener("click", () => print());
}
