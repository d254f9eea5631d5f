// Telephone numbers as people in Vietnam read them aloud, in groups.

const most = 15; // digits; ITU-T E.164

// How many digits each group has, by how a number begins. The last group takes what is left.
const groups = [
  [/^\+84/, [3, 3, 3, 9]], // the plus sign counts
  [/^\+/, [4, 3, 3, 9]],
  [/^02[48]/, [3, 4, 9]], // Hà Nội and Hồ Chí Minh City
  [/^02/, [4, 3, 9]], // other landlines
  [/^1[89]00/, [4, 4, 9]],
  [/^0/, [4, 3, 9]], // mobiles
  [/^/, [3, 3, 3, 9]], // short and unknown ones
];

// plain answers the digits of a number, and a plus sign before them, or null where the text is no number.
export function plain(text) {
  return /^\s*\+?[\d\s.()-]*$/.test(text) ? text.replace(/[^\d+]/g, "").slice(0, text.includes("+") ? most + 1 : most) : null;
}

// grouped writes digits in their groups with spaces between.
export function grouped(digits) {
  const parts = [];
  let at = 0;
  for (const size of groups.find(([begin]) => begin.test(digits))[1]) {
    if (at < digits.length) parts.push(digits.slice(at, at += size));
  }
  return parts.join(" ");
}

// after answers where the caret stands behind so many digits of a grouped number.
export function after(text, count) {
  let at = 0;
  while (count > 0 && at < text.length) if (text[at++] !== " ") count--;
  return at;
}
