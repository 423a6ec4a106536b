// Small hands of the pages that need no server: copying, form checks, menus, the drawer.
// It listens on the document, so it does not care when React draws.
(() => {
  const say = (words) => {
    const announcer = document.getElementById("announcer");
    if (announcer) announcer.textContent = words;
  };

  // ---- copy: <button data-copy="text">
  const write = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    // Plain http off localhost has no clipboard API; a selected textarea still copies.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "seen-by-readers";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw new Error("copy refused");
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    event.preventDefault();
    try {
      await write(button.dataset.copy);
    } catch {
      say("Copying was refused by the browser. Select the text instead.");
      return;
    }
    button.dataset.copied = "";
    say(`${button.dataset.what || "Text"} copied`);
    setTimeout(() => delete button.dataset.copied, 1600);
  });

  // ---- forms: check on leaving a field, keep what was typed
  const verdict = (input) => {
    const is = input.validity;
    if (is.valid) return "";
    if (is.valueMissing) return input.dataset.missing || "Fill this in.";
    if (is.tooShort) return input.dataset.short || `At least ${input.minLength} characters.`;
    if (is.tooLong) return `At most ${input.maxLength} characters.`;
    return input.dataset.mismatch || input.validationMessage;
  };
  const judge = (input) => {
    const words = input.willValidate ? verdict(input) : "";
    const place = document.getElementById(`${input.id}-error`);
    if (!place) return words === "";
    // What the server said of a field stays until it answers again: taken away on leaving the field, it would pull
    // the button out from under the pointer that is about to press it.
    if (words === "" && !input.hasAttribute("aria-invalid")) return true;
    if (words) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    place.textContent = words;
    return words === "";
  };
  const checked = (target) => (target.matches?.("form[data-checked] input") ? target : null);
  document.addEventListener("focusout", (event) => {
    const input = checked(event.target);
    // Leaving an untouched empty field is no mistake yet.
    if (input && (input.value !== "" || input.hasAttribute("aria-invalid"))) judge(input);
  });
  document.addEventListener("input", (event) => {
    const input = checked(event.target);
    if (input?.hasAttribute("aria-invalid")) judge(input);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches?.("form[data-checked]")) return;
    const wrong = [...form.elements].filter((field) => field.matches("input") && !judge(field));
    if (wrong.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    wrong[0].focus();
  }, true);

  // ---- sign-in: what the server answered stands in the address
  const answered = () => {
    const form = document.querySelector("form[data-door]");
    if (!form || form.dataset.read) return;
    form.dataset.read = "yes";
    const asked = new URLSearchParams(window.location.search);
    const code = asked.get("error");
    if (code) {
      const known = document.querySelector(`[data-refused="${CSS.escape(code)}"]`);
      const shown = known || document.querySelector('[data-refused="unknown"]');
      if (shown) shown.hidden = false;
    }
    const done = asked.get("done") && document.querySelector(`[data-done="${CSS.escape(asked.get("done"))}"]`);
    if (done) {
      done.hidden = false;
      // What was asked for has happened; the way on stands beneath.
      if (asked.get("done") !== "reset") form.hidden = true;
    }
    const token = form.elements.namedItem("token");
    if (token && asked.get("token")) {
      token.value = asked.get("token").slice(0, 200);
      // A link's secret stays in no history and is told to no other page.
      window.history.replaceState(null, "", window.location.pathname);
    }
    const email = form.elements.namedItem("email");
    for (const name of ["email", "name", "organization_name"]) {
      const field = form.elements.namedItem(name);
      if (field && asked.get(name) && !field.value) field.value = asked.get(name).slice(0, 254);
    }
    // Only a path of ours may follow the sign-in; the server looks again.
    const next = asked.get("next") || "";
    const safe = /^\/(?![/\\])[^\u0000-\u001f\\]*$/.test(next);
    if (safe && form.elements.namedItem("next")) form.elements.namedItem("next").value = next;
    if (safe) {
      for (const link of document.querySelectorAll("a[data-carries-next]")) link.href = `${link.pathname}?next=${encodeURIComponent(next)}`;
    }
    const empty = [...form.elements].find((field) => field.matches("input:not([type=hidden])") && !field.value);
    (empty || email)?.focus();
  };

  // ---- menus open beside their button
  document.addEventListener("beforetoggle", (event) => {
    const menu = event.target;
    if (event.newState !== "open" || !menu.matches?.(".menu")) return;
    const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
    if (!button) return;
    const at = button.getBoundingClientRect();
    menu.style.left = `${Math.max(12, Math.min(at.left, window.innerWidth - 276))}px`;
    const above = at.top > window.innerHeight / 2;
    menu.style.top = above ? "auto" : `${at.bottom + 4}px`;
    menu.style.bottom = above ? `${window.innerHeight - at.top + 4}px` : "auto";
  }, true);
  document.addEventListener("click", (event) => {
    const item = event.target.closest?.(".menu [data-closes-menu]");
    if (item) item.closest(".menu").hidePopover();
  });

  // ---- the drawer, below 760 px
  const root = document.documentElement;
  const drawer = (open) => {
    if (open === (root.dataset.drawer === "open")) return;
    if (open) root.dataset.drawer = "open";
    else delete root.dataset.drawer;
    const button = document.querySelector("[data-opens-drawer]");
    button?.setAttribute("aria-expanded", String(open));
    if (open) document.querySelector("#side a, #side button")?.focus();
    else if (button?.offsetParent) button.focus();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-opens-drawer]")) drawer(true);
    else if (event.target.closest?.(".side-veil, [data-closes-drawer], .side-link, .menu-item")) drawer(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") drawer(false);
    if (event.key === "Tab" && root.dataset.drawer === "open") {
      // Focus stays in the open drawer.
      const stops = [...document.querySelectorAll("#side a, #side button")].filter((stop) => stop.offsetParent);
      const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
      if (document.activeElement === edge) {
        event.preventDefault();
        (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
      }
    }
    const typing = event.target.matches?.("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !document.querySelector("dialog[open]")) {
      const search = document.querySelector("[data-search]");
      event.preventDefault();
      if (search) search.focus();
      else document.querySelector("[data-opens-search]")?.click();
    }
  });

  // ---- the database is away: say so in place of the page, ask until it is back, then load the page anew
  const away = (reference, tries = 50) => {
    // React may draw the page after the answer came; a page before the door has no such place.
    if (!document.querySelector(".away")) {
      if (tries) setTimeout(() => away(reference, tries - 1), 100);
      return;
    }
    for (const place of document.querySelectorAll("[data-away-reference]")) {
      place.textContent = reference;
      place.closest("[data-copy]").dataset.copy = reference;
    }
    if (root.dataset.away !== undefined) return;
    root.dataset.away = "";
    say("Pulse cannot read its database at the moment. This page comes back by itself.");
    setInterval(async () => {
      const ready = await fetch("/ready", { cache: "no-store" }).catch(() => null);
      if (ready?.ok) window.location.reload();
    }, 3000);
  };
  window.addEventListener("pulse:away", (event) => away(String(event.detail)));

  // React may draw the form late, or anew: the marker on it says whether it was served.
  if (/^\/(login|second-factor|signup|forgot|reset|verify)\/?$/.test(window.location.pathname)) {
    window.addEventListener("load", () => {
      answered();
      new MutationObserver(answered).observe(document.body, { childList: true, subtree: true });
    });
  }
})();
