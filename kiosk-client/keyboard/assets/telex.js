// Vietnamese by Telex, a word at a time and without a page: what a key makes of the word around the caret, what backspace leaves of
// it, which marked forms it could have.
//
// A word is {before, after}: its letters on both sides of the caret, in NFC. Between keys it also remembers how it was typed: seed,
// the letters that stood there first, and keys, what was typed since. So a word that turns out not to be Vietnamese goes back to what
// was typed ("windows", not "ưindow"), and one key less makes it Vietnamese again.
//
// A word is possible where it is a syllable or can still become one; while it is not, keys are letters. Words that only look
// Vietnamese take marks as everywhere with Telex: "test" is "tét", and "tesst" is "test".

const onsets = " b c ch d đ g gh gi h k kh kr l m n ng ngh nh p ph q qu r s t th tr v x".split(" ");

// Which ends follow a nucleus; "-" is none. kr and ăk are for Krông and Đắk.
const rimes = expand(`
a - c ch i m n ng nh o p t u y
ă c k m n ng p t
â c m n ng p t u y
e - c m n ng o p t
ê - c ch m n ng nh p t u
i - a c ch m n ng nh p t u
iê c m n ng p t u
o - a c e i m n ng p t
oa c ch i m n ng nh o p t y
oă c m n ng p t
oe m n ng o t
oo c ng
ô - c i m n ng p t
ơ - i m n p t
u - a c i m n ng p t y
uâ n ng t y
uê - ch n nh t
uô c i m n ng p t
uơ - n t
uy a ch n nh p t u
uyê n t
ư - a c i m n ng p t u
ươ c i m n ng p t u
y -
yê m n ng t u`);

function expand(table) {
  const all = new Set();
  for (const line of table.trim().split("\n")) {
    const [nucleus, ...ends] = line.split(" ");
    for (const end of ends) all.add(nucleus + end.replace("-", ""));
  }
  return all;
}

const marks = { a: "ăâ", e: "ê", o: "ôơ", u: "ư", d: "đ" }; // on a letter, lower case
const bases = Object.fromEntries(Object.entries(marks).flatMap(([base, list]) => [...list].map((v) => [v, base])));
const base = (v) => bases[v] ?? v;
const circumflex = { a: "â", e: "ê", o: "ô" };
const horn = { a: "ă", o: "ơ", u: "ư" };
const horned = (v) => horn[base(v)] === v;
const vowel = /[aăâeêioôơuưy]/;

const toneKeys = "zsfrxj";
const toneSigns = ["", "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"]; // none, sắc, huyền, hỏi, ngã, nặng

// starts holds what rimes begin with; loose also what becomes so by marks still to come.
const starts = new Set(), loose = new Set();
for (const rime of rimes) {
  for (let n = 1; n <= rime.length; n++) {
    starts.add(rime.slice(0, n));
    let forms = [""];
    for (const v of rime.slice(0, n)) forms = forms.flatMap((form) => [...new Set([form + v, form + base(v)])]);
    forms.forEach((form) => loose.add(form));
  }
}
const onsetStarts = new Set(onsets.flatMap((onset) => [...onset].map((_, i) => onset.slice(0, i + 1))));

// split tells where the rime of a syllable begins, or -1 where it is none and will not be one; known are the rimes allowed.
function split(letters, known = loose) {
  let text = "";
  for (const { v } of letters) text += v;
  const at = text.search(vowel);
  if (at < 0) return !text || onsetStarts.has(text) ? letters.length : -1;
  if (!onsets.includes(text.slice(0, at))) return -1;
  if (text.startsWith("q")) {
    if (text[1] !== "u") return -1;
    const rest = text.slice(2);
    return !rest || known.has(rest) || known.has("u" + rest) ? 2 : -1;
  }
  if (text.startsWith("gi") && known.has(text.slice(2))) return 2;
  return known.has(text.slice(at)) ? at : -1;
}

// possible tells whether letters with a tone are a syllable or on the way to one. Before c, ch, k, p, t only two tones are spoken.
function possible(letters, tone) {
  const at = split(letters);
  if (at < 0) return false;
  const stop = /[ckpt]h?$/.test(letters.slice(at).map((l) => l.v).join(""));
  return !tone || (at < letters.length && (!stop || tone === 1 || tone === 5));
}

// toneAt tells which letter of a rime carries the tone.
function toneAt(rime, style) {
  let vowels = 0, marked = -1;
  while (vowels < rime.length && vowel.test(rime[vowels])) {
    if (base(rime[vowels]) !== rime[vowels]) marked = vowels;
    vowels++;
  }
  if (marked >= 0) return marked;
  if (vowels === 1) return 0;
  if (vowels < rime.length) return vowels - 1;
  if (vowels > 2) return 1;
  if (/oa|oe|uy/.test(rime)) return style === "old" ? 0 : 1;
  return /ie|ye|ue|uo|oo/.test(rime) ? 1 : 0;
}

// read takes a word apart: letters without tone, the tone, the caret as a number of letters. Whatever cannot be Vietnamese is not live.
function read(before, after) {
  const letters = [];
  let tone = 0, tones = 0;
  for (const sign of before + after) {
    const lower = sign.toLowerCase();
    const parts = lower.normalize("NFD");
    const found = toneSigns.findIndex((t, i) => i && parts.includes(t));
    if (found > 0) { tone = found; tones++; }
    letters.push({ v: (found > 0 ? parts.replace(toneSigns[found], "") : parts).normalize("NFC"), up: lower !== sign });
  }
  return { letters, tone, caret: [...before].length, live: tones < 2 && letters.every((l) => l.v.length === 1) && possible(letters, tone) };
}

function write({ letters, tone, caret }, style) {
  const at = split(letters), rime = letters.slice(at).map((l) => l.v).join("");
  const signs = letters.map((l, i) => {
    const sign = (l.v + (tone && i === at + toneAt(rime, style) ? toneSigns[tone] : "")).normalize("NFC");
    return l.up ? sign.toUpperCase() : sign;
  });
  return { before: signs.slice(0, caret).join(""), after: signs.slice(caret).join("") };
}

// type answers the word after a key. word is {before, after} with what an earlier answer remembered, or a string with the caret at its end.
export function type(word, key, style = "new") {
  const { before, after, seed, keys } = begin(word);
  return fold(seed ?? before, after, (keys ?? "") + key, style);
}

// compose is type for many keys at once, on strings: what they make of a word with the caret at its end.
export function compose(word, keys, style = "new") {
  return fold(word.normalize("NFC"), "", keys, style).before;
}

function begin(word) {
  const { before, after, ...typed } = typeof word === "string" ? { before: word, after: "" } : word;
  return { before: before.normalize("NFC"), after: after.normalize("NFC"), ...typed };
}

function fold(seed, after, keys, style) {
  let state = read(seed, after), typed = "";
  for (const key of keys) {
    typed += key;
    if (!state.live) {
      const short = abbreviation(seed + typed);
      if (short) [seed, typed] = [short, ""];
      continue;
    }
    const next = step(state, key);
    if (next.undone) { // what stands there now is what was meant
      const text = spell(next, style);
      seed = text.before; after = text.after; typed = "";
      state = read(seed, after);
    } else {
      state = next;
    }
  }
  const text = state.live ? write(state, style) : { before: seed + typed, after };
  return { before: text.before, after: text.after, seed, keys: typed, live: state.live };
}

// abbreviation answers a word of consonants alone with its dd, just typed, as đ: HĐND, QĐ; and a third d undoes that. "" = it is none.
function abbreviation(text) {
  const found = /^(\p{L}*?)(đ|d)(d)$/iu.exec(text);
  if (!found || vowel.test(text.normalize("NFD").toLowerCase())) return "";
  const [, rest, first, second] = found, up = first !== first.toLowerCase();
  return rest + (first.toLowerCase() === "d" ? (up ? "Đ" : "đ") : (up ? "D" : "d") + second);
}

// spell writes letters that need not be a syllable; a tone stays where it would be without the last letter.
function spell({ letters, tone, caret }, style) {
  const key = letters[caret - 1], rest = { letters: letters.toSpliced(caret - 1, 1), tone, caret: caret - 1 };
  const text = write(rest, style);
  return { before: text.before + (key.up ? key.v.toUpperCase() : key.v), after: text.after };
}

// step is one key on a live word: a tone, a mark, an undone mark, or a letter, whichever is the first that is possible.
function step(state, sign) {
  const { letters, tone, caret } = state, key = sign.toLowerCase(), up = key !== sign;
  const at = split(letters);
  let end = at;
  while (end < letters.length && vowel.test(letters[end].v)) end++;
  const insert = (v, more, list = letters) => ({ letters: list.toSpliced(caret, 0, { v, up, ...more }), tone, caret: caret + 1 });
  const remark = (changes) => ({ letters: letters.map((l, i) => (i in changes ? { ...l, v: changes[i] } : l)), tone, caret });
  const undo = (from, v = key) => ({ ...insert(v, {}, from.letters ?? letters), tone: from.tone ?? tone, undone: true });
  const nucleus = [];
  for (let i = at; i < end && i < caret; i++) nucleus.push(i);

  const t = toneKeys.indexOf(key);
  if (t >= 0 && nucleus.length) {
    if (t === tone && tone) return undo({ tone: 0 });
    if (t !== tone && possible(letters, t)) return { ...state, tone: t };
  }

  let changes = [], back = {};
  if (circumflex[key]) {
    for (const i of nucleus) {
      if (base(letters[i].v) !== key) continue;
      if (letters[i].v === circumflex[key]) back[i] = key;
      else changes.push({ [i]: circumflex[key] }, { [i]: circumflex[key], [i - 1]: base(letters[i - 1]?.v) });
    }
  } else if (key === "w") {
    for (const i of nucleus) {
      const { v } = letters[i], next = letters[i + 1];
      if (base(v) === "u" && nucleus.includes(i + 1) && base(next.v) === "o" && !(horned(v) && horned(next.v))) {
        // alone the end of "thuở"; before another letter, or once the u has its horn, "ươ"
        changes.unshift(end === i + 2 && letters.length === end && v === "u" && next.v !== "ơ" ? { [i + 1]: "ơ" } : { [i]: "ư", [i + 1]: "ơ" });
      }
      if (horned(v)) back[i] = letters[i].bare ? "w" : base(v);
      else if (horn[base(v)]) changes.push({ [i]: horn[base(v)] });
    }
  } else if (key === "d" && caret && letters[0].v === "đ") {
    back[0] = "d";
  } else if (key === "d" && caret && letters[0].v === "d") {
    changes.push({ 0: "đ" });
  }
  for (const change of changes) {
    const next = remark(change);
    if (possible(next.letters, tone)) return { ...next, live: true };
  }
  if (Object.keys(back).length) {
    if (letters[caret - 1].bare) return { letters: remark({ [caret - 1]: "w" }).letters, tone, caret, undone: true };
    return undo(remark(back));
  }

  if (key === "w") {
    const bare = insert("ư", { bare: true });
    if (possible(bare.letters, tone)) return { ...bare, live: true };
  }
  const next = insert(key);
  pair(next.letters, split(next.letters));
  const live = possible(next.letters, tone);
  if (!live && caret && caret < letters.length) { // no place for the letter here: it may be meant for the vowel behind the caret
    const other = step({ ...state, caret: letters.length }, sign);
    if (other.live && !other.undone && other.letters.length === letters.length) return { ...other, caret };
  }
  return { ...next, live };
}

// pair gives both letters of ươ their horns, once one has it and another letter follows.
function pair(letters, at) {
  if (at < 0 || letters.length < at + 3) return;
  const [u, o] = letters.slice(at, at + 2);
  if (base(u.v) !== "u" || base(o.v) !== "o" || horned(u.v) === horned(o.v)) return;
  const both = letters.toSpliced(at, 2, { ...u, v: "ư" }, { ...o, v: "ơ" });
  if (split(both) >= 0) letters.splice(at, 2, both[at], both[at + 1]);
}

// erase answers the word without the letter before the caret, marks and all; where a word went back to what was typed, without the last key.
export function erase(word, style = "new") {
  const { before, after, seed, keys, live } = begin(word);
  if (keys && !live) return fold(seed, after, keys.slice(0, -1), style);
  return settle(withoutLast(before), after, style);
}

// settle writes a word with its tone where it belongs.
function settle(before, after, style) {
  const state = read(before, after);
  return { ...(state.live ? write(state, style) : { before, after }), live: state.live };
}

// withoutLast takes what a person sees as one sign off the end of a text.
export function withoutLast(text) {
  const last = [...new Intl.Segmenter("vi").segment(text.slice(-32))].at(-1);
  return last ? text.slice(0, text.length - last.segment.length) : "";
}

// variants answers what a tap can make of the word: {shapes, tones}, each a list of {label, before, after, now}. tones has six places in the
// order none, sắc, huyền, hỏi, ngã, nặng; null is a tone that is not spoken there. Of a word that is no syllable, the vowel nearest to the
// caret is offered alone. What was typed is offered as well where it reads differently: "test" for "tét".
export function variants(word, style = "new") {
  const { before, after, seed, keys } = begin(word);
  const state = read(before, after);
  const at = state.live ? split(state.letters) : -1;
  if (!state.live || at === state.letters.length) return nearest(before, after);
  const text = (s) => {
    const both = write(s, style);
    return { ...both, label: both.before + both.after };
  };
  const forms = (letters, list) => {
    let all = [[]];
    letters.forEach((l, i) => {
      const others = i >= at && marks[base(l.v)] && vowel.test(l.v) ? [base(l.v), ...marks[base(l.v)]] : [l.v];
      all = all.flatMap((form) => others.map((v) => [...form, { ...l, v }]));
    });
    return all.filter((form) => split(form, list) >= 0);
  };
  const same = (form) => form.every((l, i) => l.v === state.letters[i].v);
  const shapes = forms(state.letters, starts).filter((form) => !same(form) && possible(form, state.tone)).map((form) => text({ ...state, letters: form }));
  const first = state.letters[0];
  if (first.v === "d" || first.v === "đ") {
    shapes.unshift(text({ ...state, letters: state.letters.with(0, { ...first, v: first.v === "d" ? "đ" : "d" }) }));
  }
  if (keys && seed + keys !== before) shapes.push({ before: seed + keys, after, label: seed + keys + after });
  // A rime that is none without its marks, such as "ieng", gets them with the tone where only one is meant.
  const meant = split(state.letters, rimes) < 0 ? forms(state.letters, rimes) : [];
  const letters = meant.length === 1 ? meant[0] : state.letters;
  const tones = toneSigns.map((_, tone) => possible(letters, tone) ? { ...text({ ...state, letters, tone }), now: tone === state.tone && same(letters) } : null);
  return { shapes: shapes.filter((shape) => !tones.some((t) => t?.label === shape.label)), tones };
}

function nearest(before, after) {
  const text = before + after, plain = (sign) => read(sign, "");
  const fits = (i) => i >= 0 && i < text.length && /^[aeiouyd]$/.test(base(plain(text[i]).letters[0].v)) && i;
  let at = -1;
  for (let far = 0; far < text.length && at < 0; far++) {
    for (const i of [before.length - 1 - far, before.length + far]) if (at < 0 && fits(i) !== false) at = i;
  }
  if (at < 0) return { shapes: [], tones: [] };
  const { letters: [letter], tone } = plain(text[at]);
  const put = (v, t) => {
    let sign = (v + toneSigns[t]).normalize("NFC");
    if (letter.up) sign = sign.toUpperCase();
    const whole = text.slice(0, at) + sign + text.slice(at + 1);
    return { label: sign, before: whole.slice(0, before.length), after: whole.slice(before.length), now: v === letter.v && t === tone };
  };
  const shapes = [base(letter.v), ...(marks[base(letter.v)] ?? "")].filter((v) => v !== letter.v).map((v) => put(v, tone));
  return { shapes, tones: vowel.test(letter.v) ? toneSigns.map((_, t) => put(letter.v, t)) : [] };
}
