// The kiosk's screen: it sends touches, puts what it is answered in the place of what was there, and says when somebody calls. What is
// shown is decided by the program behind it.
const app = document.getElementById("app"), down = document.getElementById("down");
const screen = () => app.firstElementChild;
let asked = 0, shown = "";

// take puts another screen in place. The same screen again keeps the focus where it was; another one begins at its heading.
function take(html) {
  const what = plain(html);
  if (what === shown) return refresh(html);
  shown = what;
  const before = screen(), focused = document.activeElement?.id, value = document.getElementById("comment")?.value;
  const next = document.createRange().createContextualFragment(html).firstElementChild;
  const same = before && before.dataset.revision === next.dataset.revision && before.dataset.state === next.dataset.state;
  const scrolled = same ? before.querySelector(".hands")?.scrollTop : 0;
  app.replaceChildren(next);
  dress();
  if (same && scrolled) next.querySelector(".hands").scrollTop = scrolled;
  const comment = document.getElementById("comment");
  if (same && comment && value !== undefined) comment.value = value;
  const at = (same && focused && document.getElementById(focused)) || next.querySelector("[autofocus]") || next.querySelector("h1");
  if (!same) scrollTo(0, 0);
  if (!(same && !focused)) at?.focus({preventScroll: true});
  down.hidden = true;
  paint();
}

// What differs with the minute alone is no other screen: nothing is put in place under a finger.
const plain = html => html.replace(/data-now="\d+"|<p class="clock".*?<\/p>/g, "");
function refresh(html) {
  const now = /data-now="(\d+)"/.exec(html);
  if (now) offset = Number(now[1]) - Date.now();
  down.hidden = true;
}

// dress gives the page what the screen says of itself.
function dress() {
  const d = screen().dataset;
  document.documentElement.lang = d.lang;
  document.documentElement.className = d.classes;
  document.title = d.title;
  offset = Number(d.now) - Date.now();
  const left = app.querySelector(".left span");
  if (left && d.seconds) left.style.animationDuration = d.seconds + "s";
  tick();
}

// paint notes that a screen was drawn, for whoever measures.
function paint() {
  requestAnimationFrame(() => performance.mark("painted"));
}

let offset = 0;
const hours = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh"});
function tick() {
  const clock = app.querySelector(".clock");
  if (clock) clock.textContent = hours.format(new Date(Date.now() + offset));
}

async function ask(url, body) {
  const number = ++asked;
  try {
    const answer = await fetch(url, {method: body ? "POST" : "GET", body, headers: {"X-Kiosk": "1"}, cache: "no-store"});
    if (answer.status === 204) return;
    if (!answer.ok) throw new Error(answer.status);
    const html = await answer.text();
    if (number === asked) take(html);
  } catch {
    down.hidden = false; // the program is away; the stream tells when it is back
  }
}

const look = () => ask("/screen?tab=" + encodeURIComponent(screen().dataset.tab));

// act sends what was done on the screen as it was then, one thing after the other. What was touched on a screen that is gone when its
// turn comes, such as the second of two taps, is not sent.
let turn = Promise.resolve(), waits = 0;
function act(doing, more = {}, form) {
  const body = new URLSearchParams(form ? new FormData(form) : {}), revision = screen().dataset.revision;
  body.set("tab", screen().dataset.tab);
  body.set("revision", revision);
  body.set("do", doing);
  for (const name in more) body.set(name, more[name]);
  waits++;
  turn = turn.then(() => screen().dataset.revision === revision && ask("/do", body)).finally(() => { waits--; });
}

addEventListener("submit", e => {
  const button = e.submitter ?? e.target.querySelector("button:not([type=button])"); // "Xong" of the keyboard names none
  if (!button || !app.contains(e.target)) return;
  e.preventDefault();
  if (button.hasAttribute("data-hold") && !button.held && button.fromMouse) return;
  button.held = false;
  act(button.value, {}, e.target);
  if (button.classList.contains("tick")) flip(button);
});

// flip shows at once what a box will be.
function flip(tick) {
  const on = tick.value.startsWith("toggle:on:");
  tick.setAttribute("aria-pressed", on);
  tick.value = tick.value.replace(/^toggle:(on|off):/, on ? "toggle:off:" : "toggle:on:");
  shown = ""; // what the program draws is another one now
}

addEventListener("click", e => {
  const tick = e.target.closest?.(".tick");
  if (e.target.closest?.("[data-stay]")) stay(true);
  const prompt = e.target.closest?.("[data-prompt]");
  if (prompt) play(prompt.dataset.prompt);
});

// The corner of the staff must be held; a key on it is enough, for who has no finger to hold.
let holding = 0;
addEventListener("pointerdown", e => {
  if (!e.target.closest?.("button:not([type=button])")) sign(); // a button tells it by what it does
  const corner = e.target.closest?.("[data-hold]");
  if (!corner) return;
  corner.fromMouse = true;
  holding = setTimeout(() => { corner.held = true; corner.form.requestSubmit(corner); corner.fromMouse = false; }, 1500);
});
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, e => {
  clearTimeout(holding);
  const corner = app.querySelector("[data-hold]");
  if (corner) setTimeout(() => { corner.fromMouse = false; }, 100);
});
addEventListener("contextmenu", e => e.preventDefault());

let voice;
function play(url) {
  voice?.pause();
  voice = new Audio(url);
  voice.play().catch(() => {});
}

// sign tells, at most every two seconds, that somebody is there; words being typed go along, so that a browser that is started
// again has them. They are written nowhere.
let signed = 0, waiting = 0;
function sign() {
  const since = Date.now() - signed;
  if (since < 2000) {
    waiting ||= setTimeout(() => { waiting = 0; sign(); }, 2000 - since);
    return;
  }
  stay(false);
}
function stay(hide) {
  signed = Date.now();
  const d = screen()?.dataset;
  if (!d || ["idle", "closed", "setup", "moved", "thanks"].includes(d.state)) return;
  const still = document.getElementById("still");
  if (still && (hide || !still.hidden)) still.hidden = true;
  const draft = app.querySelector("[data-draft]"), body = new URLSearchParams({tab: d.tab, revision: d.revision, do: draft ? "draft" : "stay"});
  if (draft) body.set("comment", draft.value);
  fetch("/do", {method: "POST", body, headers: {"X-Kiosk": "1"}}).catch(() => {});
}
addEventListener("input", sign);

// Keys: 1 to 5 are buttons of a box beside the screen, or of a keyboard. A scanner types a code within a blink and ends it by Enter.
let typed = "", last = 0, later = 0;
addEventListener("keydown", e => {
  if (e.key === "F9" && app.querySelector("[data-hold]")) { e.preventDefault(); act("staff"); return; }
  const call = e.key === "F8" ? "1" : e.altKey && /^Digit[1-9]$/.test(e.code) ? e.code.slice(5) : "";
  if (call) { e.preventDefault(); act("call:" + call); return; } // the official's button
  sign();
  if (e.target.closest?.("input,textarea,select") || e.ctrlKey || e.altKey || e.metaKey) return;
  const now = e.timeStamp; // when the key was pressed, however busy the page was
  if (now - last > 60) typed = "";
  last = now;
  clearTimeout(later);
  if (e.key === "Enter") {
    const code = typed;
    typed = "";
    const field = document.getElementById("code");
    if (code.length > 4 && field) { // the code of an administrator's page
      e.preventDefault();
      field.value = code;
      field.form.requestSubmit();
    } else if (code.length >= 2) { e.preventDefault(); act("scan", {scan: code}); }
    else if (/^[1-5]$/.test(code)) { e.preventDefault(); act("key:" + code); }
    return;
  }
  if (e.key.length !== 1) return;
  typed += e.key;
  if (e.key === " ") return;
  later = setTimeout(() => {
    if (/^[1-5]$/.test(typed)) act("key:" + typed);
    typed = "";
  }, 90);
});

// The stream of news. It comes back by itself after the program was started again.
let stream;
function listen() {
  stream?.close();
  stream = new EventSource("/events?tab=" + encodeURIComponent(screen().dataset.tab));
  stream.addEventListener("changed", e => {
    down.hidden = true;
    if (!waits && (e.data !== screen().dataset.revision || ["idle", "setup", "ready", "staff"].includes(screen().dataset.state))) look();
  });
  stream.addEventListener("warned", e => {
    const still = document.getElementById("still");
    if (!still) return;
    still.hidden = e.data !== "1";
  });
  stream.addEventListener("moved", () => { stream.close(); look(); });
  stream.addEventListener("restarted", () => location.reload());
  stream.onerror = () => { down.hidden = false; };
}

dress();
listen();
paint();
setInterval(tick, 5000);
if (!document.activeElement || document.activeElement === document.body) (app.querySelector("[autofocus]") ?? app.querySelector("h1"))?.focus({preventScroll: true});
