// The keys on the screen and the field they write into. All listening is done on the document, so that keys and fields may come and go.
import { erase, type, variants, withoutLast } from "./telex.js";
import { after, grouped, plain } from "./phone.js";

const holdFor = 450, repeatEvery = 70; // milliseconds until a held key repeats, and between two of it
const letter = /[\p{L}\p{M}]/u;

let served = null; // the field that had the focus last
let memory = null; // how the word before the caret was typed: {field, value, caret, word}
let writing = false; // our own change is under way

const fields = (within) => [...within.querySelectorAll("[data-keyboard]")].filter((f) => !f.disabled && !f.readOnly && f.checkVisibility());
const dock = () => document.querySelector(".kb");
const panelOf = (field) => dock()?.querySelector(`.kb-keys[data-kind="${CSS.escape(field.dataset.keyboard)}"]`);
const shown = () => dock()?.querySelector(".kb-keys:not([data-off])");
const style = () => dock()?.dataset.style;

function field() {
  if (!served?.isConnected || served.disabled || served.readOnly) served = fields(document)[0] ?? null;
  return served;
}

// serve turns the keys to a field.
function serve(f) {
  served = f;
  const panel = panelOf(f);
  if (!panel) return;
  for (const other of dock().querySelectorAll(".kb-keys")) {
    other.toggleAttribute("data-off", other !== panel);
    other.inert = other !== panel;
  }
  startOfSentence(f);
  refresh();
}

// put replaces a part of the field's text, and tells whether there was room.
function put(f, from, to, text, caret) {
  const length = f.value.length - (to - from) + text.length;
  if (f.maxLength >= 0 && length > f.maxLength && length > f.value.length) return false;
  writing = true;
  f.setRangeText(text, from, to);
  f.setSelectionRange(caret, caret);
  f.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
  writing = false;
  startOfSentence(f);
  return true;
}

// around is the word that the caret stands in; what is selected is not of it.
function around(f) {
  const { value, selectionStart, selectionEnd } = f;
  let from = selectionStart, to = selectionEnd;
  while (from > 0 && letter.test(value[from - 1])) from--;
  while (to < value.length && letter.test(value[to])) to++;
  const known = memory && memory.field === f && memory.value === value && memory.caret === selectionStart && selectionStart === selectionEnd;
  return { from, to, word: known ? memory.word : { before: value.slice(from, selectionStart), after: value.slice(selectionEnd, to) } };
}

function putWord(f, from, to, word) {
  if (put(f, from, to, word.before + word.after, from + word.before.length)) {
    memory = { field: f, value: f.value, caret: from + word.before.length, word };
  }
}

function sign(f, panel, text) {
  if (panel.dataset.kind === "phone") return number(f, f.value.slice(0, f.selectionStart) + text, f.value.slice(f.selectionEnd));
  if (panel.dataset.kind === "text" && panel.dataset.typing === "vi" && /^[a-z]$/i.test(text)) {
    const { from, to, word } = around(f);
    return putWord(f, from, to, type(word, text, style()));
  }
  put(f, f.selectionStart, f.selectionEnd, text, f.selectionStart + text.length);
}

// number writes a telephone number, of which the caret stands between two parts.
function number(f, before, behind) {
  const digits = plain(before + behind);
  if (digits === null) return;
  const text = grouped(digits);
  put(f, 0, f.value.length, text, after(text, plain(before)?.length ?? digits.length));
}

function eraseAt(f, panel) {
  const { selectionStart: from, selectionEnd: to, value } = f;
  if (from === to && from === 0) return;
  if (panel.dataset.kind === "phone") {
    const before = plain(value.slice(0, from));
    if (before !== null && plain(value) !== null) return number(f, from === to ? before.slice(0, -1) : before, value.slice(to));
  }
  const { from: start, to: end, word } = around(f);
  if (from === to && word.before && panel.dataset.typing === "vi") return putWord(f, start, end, erase(word, style()));
  const rest = from === to ? withoutLast(value.slice(0, from)).length : from;
  put(f, rest, to, "", rest);
}

function move(f, does) {
  const { value, selectionStart: from, selectionEnd: to } = f;
  let at = does === "left" ? from : to;
  if (from === to && does === "left") at = withoutLast(value.slice(0, from)).length;
  if (from === to && does === "right") at += new Intl.Segmenter("vi").segment(value.slice(to, to + 32))[Symbol.iterator]().next().value?.segment.length ?? 0;
  f.setSelectionRange(at, at);
}

function done(f) {
  if (!f.dispatchEvent(new CustomEvent("keyboard:done", { bubbles: true, cancelable: true }))) return;
  const all = f.form ? fields(f.form) : [];
  const next = all[all.indexOf(f) + 1];
  if (next) next.focus();
  else f.form?.requestSubmit();
}

// shift is off, "once" for the next letter, or "lock".
function shift(panel, to) {
  if (to) panel.dataset.shift = to;
  else delete panel.dataset.shift;
  panel.querySelector("[data-does=shift]")?.setAttribute("aria-pressed", !!to);
}

function startOfSentence(f) {
  const panel = panelOf(f);
  if (panel?.dataset.kind !== "text" || panel.dataset.shift === "lock") return;
  const before = f.value.slice(0, f.selectionStart);
  shift(panel, /(^|[.!?]\s+|\n\s*)$/.test(before.length > 8 ? "x" + before.slice(-8) : before) ? "once" : "");
}

function press(button) {
  const f = field(), panel = button.closest(".kb-keys"), { does } = button.dataset;
  if (!f || button.disabled) return;
  if (button.closest(".kb-strip")) {
    const { from, to } = around(f);
    if (button.variant) putWord(f, from, to, button.variant);
  } else if (does === "shift") {
    shift(panel, { once: "lock", lock: "" }[panel.dataset.shift] ?? "once");
  } else if (does === "layer") {
    button.setAttribute("aria-pressed", panel.toggleAttribute("data-signs"));
  } else if (does === "typing") {
    panel.dataset.typing = panel.dataset.typing === "vi" ? "en" : "vi";
    typing(panel);
  } else if (does === "erase") {
    eraseAt(f, panel);
  } else if (does === "left" || does === "right") {
    move(f, does);
  } else if (does === "done" || (does === "line" && f.localName !== "textarea")) {
    done(f);
  } else if (does) {
    sign(f, panel, does === "line" ? "\n" : " ");
  } else if (panel.hasAttribute("data-signs") && button.dataset.other) {
    sign(f, panel, button.dataset.other);
  } else {
    const { shift: held } = panel.dataset;
    if (held === "once") shift(panel, "");
    sign(f, panel, held ? button.dataset.sign.toUpperCase() : button.dataset.sign);
  }
  refresh();
}

const typing = (panel) => panel.querySelector("[data-does=typing]")?.setAttribute("aria-pressed", panel.dataset.typing === "vi");

// refresh shows on the strip what a tap can make of the word around the caret.
function refresh() {
  const f = field(), panel = shown(), strip = panel?.querySelector(".kb-strip");
  if (!f || !strip) return;
  const { word } = around(f);
  const offered = panel.dataset.typing === "vi" && panelOf(f) === panel ? variants(word, style()) : { shapes: [], tones: [] };
  const buttons = [...strip.querySelectorAll("button")], shapes = buttons.length - 6;
  buttons.forEach((button, i) => {
    const variant = (i < shapes ? offered.shapes[i] : offered.tones[i - shapes]) ?? null;
    button.variant = variant;
    button.disabled = !variant;
    button.toggleAttribute("data-now", !!variant?.now);
    button.style.setProperty("--letters", Math.max(4, variant?.label.length ?? 0)); // long words are drawn smaller
    if (button.textContent !== (variant?.label ?? "")) button.textContent = variant?.label ?? "";
  });
  strip.toggleAttribute("data-empty", !offered.shapes.length && !offered.tones.length);
}

// Pointers: keys write when touched, so that fast fingers lose nothing; the click that follows is not another touch. A click without a
// pointer comes from a real keyboard or a screen reader.
let held = 0;

const keyOf = (event) => event.target.closest?.(".kb button");

document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest?.(".kb")) return;
  event.preventDefault(); // so that no mouse event follows that would take the focus from the field
  const button = keyOf(event);
  if (!button || event.button > 0) return;
  button.setAttribute("data-down", "");
  const f = field();
  if (f && document.activeElement !== f) f.focus({ preventScroll: true });
  press(button);
  clearTimeout(held);
  if (["erase", "left", "right"].includes(button.dataset.does)) {
    const again = () => {
      if (field() !== f || !button.checkVisibility()) return; // the screen has changed under the finger
      press(button);
      held = setTimeout(again, repeatEvery);
    };
    held = setTimeout(again, holdFor);
  }
  const end = (up) => {
    if (up.pointerId !== event.pointerId) return;
    for (const name of ["pointerup", "pointercancel"]) removeEventListener(name, end, true);
    clearTimeout(held);
    button.removeAttribute("data-down");
  };
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, end, true);
});
addEventListener("blur", () => clearTimeout(held));
document.addEventListener("contextmenu", (event) => event.target.closest?.(".kb") && event.preventDefault()); // of a long touch
document.addEventListener("click", (event) => {
  const button = keyOf(event);
  if (button && !event.pointerType) press(button);
});

// Real keyboards: the Tab key finds one key of the keyboard, arrows go on from there to the nearest.
document.addEventListener("keydown", (event) => {
  const button = keyOf(event), way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!button || !way) return;
  event.preventDefault();
  const middle = (e) => {
    const r = e.getBoundingClientRect();
    return [r.x + r.width / 2, r.y + r.height / 2];
  };
  const [x, y] = middle(button);
  let best = null, least = Infinity;
  for (const other of button.closest(".kb-keys").querySelectorAll("button:enabled")) {
    const [ox, oy] = middle(other), along = (ox - x) * way[0] + (oy - y) * way[1], aside = Math.abs((ox - x) * way[1]) + Math.abs((oy - y) * way[0]);
    if (along < 5) continue;
    const far = along + 4 * aside * (way[0] ? 1 : 0.25);
    if (far < least) [best, least] = [other, far];
  }
  if (!best) return;
  button.tabIndex = -1;
  best.tabIndex = 0;
  best.focus();
});

document.addEventListener("focusin", (event) => event.target.matches?.("[data-keyboard]") && serve(event.target));
document.addEventListener("selectionchange", () => document.activeElement === served && !writing && refresh());

// What real keyboards, scanners and pasting write is brought into the same form.
document.addEventListener("input", (event) => {
  const f = event.target;
  if (writing || event.isComposing || !f.matches?.("[data-keyboard]")) return;
  const { value, selectionStart: at } = f, text = value.normalize("NFC");
  if (f.dataset.keyboard === "phone") {
    const digits = plain(value);
    if (digits !== null && grouped(digits) !== value) number(f, value.slice(0, at), value.slice(at));
  } else if (text !== value) {
    put(f, 0, value.length, text, value.slice(0, at).normalize("NFC").length);
  }
  startOfSentence(f);
  refresh();
});

document.querySelectorAll(".kb-keys").forEach(typing);
if (document.activeElement?.matches("[data-keyboard]")) serve(document.activeElement);
else if (field()) serve(served);
