// The desk of calls: saves as it is typed, looks up the number, the unit and similar cases, puts in texts by their short keys, goes on with
// Enter, fills in the number that rings. Without this script the buttons of the page do the same.
"use strict";
for (const form of document.querySelectorAll("form[data-call]")) {
  const path = form.dataset.call;
  const mark = document.getElementById("saved");
  const version = form.elements.version;
  const waiting = "hotline:" + path; // what is not saved yet, for this tab alone; nothing is left of it once it is saved
  let dirty = false, saving = null, timer = 0, since = 0, stopped = false, sending = false;

  const say = (words, state) => { mark.textContent = words; mark.dataset.state = state; };
  const typed = () => new URLSearchParams([...new FormData(form)].filter(([name]) => name !== "do"));
  const keep = () => { try { sessionStorage.setItem(waiting, typed().toString()); } catch { /* no room, or not allowed */ } };
  const forget = () => { try { sessionStorage.removeItem(waiting); } catch { /* not allowed */ } };

  const save = async () => {
    clearTimeout(timer);
    if (saving || stopped || !dirty) return saving;
    dirty = false;
    since = 0;
    saving = (async () => {
      let answer, body = null;
      try {
        answer = await fetch(path + "/save", { method: "POST", body: typed(), headers: { Accept: "application/json" } });
        if ((answer.headers.get("Content-Type") ?? "").startsWith("application/json")) body = await answer.json();
      } catch { /* the server is away */ }
      if (answer?.ok && body) {
        version.value = body.version;
        history.replaceState(history.state, "", path);
        if (!dirty) { forget(); say(body.said, "saved"); }
        return;
      }
      if (body?.changed) { // in another tab: what is typed here stays, and is saved only when that is pressed
        stopped = true;
        say(body.said + (body.standing ? " “" + body.standing + "”" : ""), "changed");
        const button = document.getElementById("overwrite");
        button.hidden = body.ended === true;
        button.onclick = () => { version.value = body.version; stopped = false; dirty = true; button.hidden = true; mark.focus(); save(); };
        return;
      }
      dirty = true;
      if (body) return say(body.said, "wrong"); // to be mended: saved again with the next key
      say(answer?.status === 401 ? mark.dataset.ended : mark.dataset.away, "waits");
      timer = setTimeout(save, 2000);
    })();
    await saving;
    saving = null;
    if (dirty && mark.dataset.state === "saved") later();
    return undefined;
  };
  // Saved when the keys rest for a moment, and while they do not, each second.
  const later = () => {
    const now = Date.now();
    since ||= now;
    clearTimeout(timer);
    timer = setTimeout(save, Math.max(0, Math.min(350, since + 1000 - now)));
  };
  const changed = () => {
    dirty = true;
    if (!stopped) say(mark.dataset.typing, "typing");
    keep();
    later();
  };

  // fetched puts a part of the page in its place, some time after the last key.
  const soon = new Map();
  const fetched = (part, into, delay) => {
    clearTimeout(soon.get(part));
    soon.set(part, setTimeout(async () => {
      const asked = typed().toString();
      try {
        const answer = await fetch(path + "/" + part, { method: "POST", body: new URLSearchParams(asked) });
        if (answer.ok) document.getElementById(into).innerHTML = await answer.text();
      } catch { /* it can be had without */ }
      if (part === "units") { fetched("similar", "similar", 0); changed(); }
    }, delay));
  };

  form.addEventListener("input", event => {
    changed();
    switch (event.target.name) {
      case "phone": return fetched("caller", "caller", 300);
      case "about_q": return fetched("units", "units", 200);
      case "about": fetched("officials", "officials", 0); return fetched("similar", "similar", 0);
      case "summary": return fetched("similar", "similar", 900);
    }
    return undefined;
  });

  // One digit chooses the kind and goes on.
  const kind = form.elements.kind;
  kind.addEventListener("focus", () => kind.select());
  kind.addEventListener("input", () => {
    const keys = kind.dataset.keys, last = [...kind.value].pop() ?? "";
    kind.value = keys.includes(last) ? last : "";
    showKind();
    if (kind.value) {
      fetched("similar", "similar", 0);
      go(kind);
    }
  });
  const showKind = () => {
    for (const one of form.querySelectorAll("[data-kind]")) one.toggleAttribute("data-chosen", one.dataset.kind === kind.value);
  };

  const steps = () => [...form.querySelectorAll("[data-step]")].filter(step => step.offsetParent !== null);
  const go = from => {
    const all = steps(), to = all[all.indexOf(from) + 1];
    if (to) to.focus();
  };
  let dealt = false; // an Enter
  form.addEventListener("keydown", event => {
    if (event.isComposing) return;
    dealt = false;
    const at = event.target;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!event.repeat) form.requestSubmit(form.querySelector("button[value=finish]"));
    } else if (event.key === "Enter" && !event.shiftKey && !event.altKey && at.matches("input:not([type=checkbox])")) {
      event.preventDefault(); // goes on; nothing is finished by mistake
      dealt = true;
      if (at.type === "radio") form.elements.summary.focus();
      else if (at.dataset.step !== undefined) go(at);
    } else if (event.key === "ArrowDown" && at.name === "about_q") {
      const first = form.querySelector("input[name=about]:checked") ?? form.querySelector("input[name=about]");
      if (first) { event.preventDefault(); first.focus(); }
    } else if (event.key === "Tab" && !event.shiftKey && at.name === "summary") {
      if (snippet(at)) event.preventDefault();
    }
  });
  // The letter of an Enter that was dealt with may yet come, to the field that has the focus now; it presses no button.
  form.addEventListener("keypress", event => {
    if (event.key === "Enter" && (dealt || event.target.matches("input:not([type=checkbox])"))) event.preventDefault();
    dealt = false;
  });
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const to = { F2: form.elements.phone, F8: form.elements.summary }[event.key];
    if (to) { event.preventDefault(); to.focus(); }
  });

  // "/key" before the cursor becomes the text of that key.
  const snippet = field => {
    const before = field.value.slice(0, field.selectionStart), found = /(^|\s)\/([a-z0-9]+)$/.exec(before);
    const text = found && [...document.querySelectorAll("#snippet option")].find(option => option.value === found[2])?.dataset.text;
    if (!text) return false;
    field.setRangeText(text + " ", before.length - found[2].length - 1, before.length, "end");
    changed();
    return true;
  };
  const list = document.getElementById("snippet"), put = document.getElementById("put-snippet");
  put?.addEventListener("click", event => {
    event.preventDefault();
    const field = form.elements.summary, text = list.selectedOptions[0]?.dataset.text;
    if (!text) return;
    field.setRangeText(text + " ", field.selectionStart, field.selectionEnd, "end");
    field.focus();
    changed();
  });

  // What is under way is waited for, so that the last save and the button do not contend.
  form.addEventListener("submit", event => {
    clearTimeout(timer);
    if (saving) {
      event.preventDefault();
      const button = event.submitter;
      saving.then(() => form.requestSubmit(button));
      return;
    }
    if (sending) return event.preventDefault(); // a second press before the answer came sends nothing
    sending = true;
    stopped = true;
    return undefined;
  });
  addEventListener("pageshow", event => { if (event.persisted) { sending = false; stopped = false; } });

  // A ring fills in its number where nothing is written yet.
  const ring = () => {
    const first = document.querySelector("#rings [data-number]");
    if (!first || version.value !== "0" || dirty || form.elements.phone.value || form.elements.summary.value) return;
    form.elements.phone.value = first.dataset.number;
    form.elements.started.value = first.dataset.at;
    form.elements.phone.dispatchEvent(new Event("input", { bubbles: true }));
    kind.focus();
  };
  const rings = document.getElementById("rings");
  if (rings?.dataset.rings) {
    const source = new EventSource(rings.dataset.rings + "/live");
    source.addEventListener("message", async () => {
      try {
        const answer = await fetch(rings.dataset.rings);
        if (answer.ok) { rings.innerHTML = await answer.text(); ring(); }
      } catch { /* the next event tells again */ }
    });
    addEventListener("pagehide", () => source.close());
  }

  // What was typed and not saved, before the page was loaded again, is put back and saved.
  let before = null;
  try { before = sessionStorage.getItem(waiting); } catch { /* not allowed */ }
  if (before) {
    for (const [name, value] of new URLSearchParams(before)) {
      const field = form.elements[name];
      if (field && "value" in field && name !== "version" && field.type !== "checkbox" && field.type !== "radio") field.value = value;
    }
    changed();
  }
  showKind();
  document.documentElement.dataset.hotline = "ready";
  if (!form.querySelector("[aria-invalid]")) (form.elements.phone.value ? kind : form.elements.phone).focus();
  else form.querySelector("[aria-invalid]").focus();
}
for (const box of document.querySelectorAll("[data-print]")) {
  box.hidden = false;
  box.firstElementChild.addEventListener("click", () => print());
}
