/* Small behaviours of every page. All of them are extras: each page works without this file. */
(function () {
  "use strict";
  const root = document.documentElement;
  const texts = JSON.parse(document.getElementById("ui-texts")?.textContent || "{}") || {};

  function announce(text) {
    const region = document.getElementById("live-region");
    if (region && text) region.textContent = text;
  }

  /* --- market time: server's instant plus elapsed real time times speed ------------------------ */

  let clock = { market: Date.now(), at: Date.now(), speed: 1 };

  function readClock(element) {
    const market = Date.parse(element.dataset.marketNow);
    if (Number.isNaN(market)) return;
    clock = { market, at: Date.now(), speed: Number(element.dataset.marketSpeed) || 0 };
  }

  function marketNow() {
    return clock.market + (Date.now() - clock.at) * clock.speed;
  }

  const marketFormat = new Intl.DateTimeFormat("sv-SE", {
    timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", second: "2-digit",
  });

  /* Countdowns show real time left (what a visitor can act on), also when the demo clock runs fast. */
  function timeLeft(milliseconds) {
    const total = Math.max(0, Math.floor(milliseconds / 1000));
    const days = Math.floor(total / 86400);
    const clockPart = [Math.floor((total % 86400) / 3600), Math.floor((total % 3600) / 60), total % 60];
    if (!days && clockPart[0] === 0) clockPart.shift();
    const shown = clockPart.map((part) => String(part).padStart(2, "0")).join(":");
    return days ? days + " " + (texts.day || "d") + " " + shown : shown;
  }

  function tick() {
    const now = marketNow();
    document.querySelectorAll("[data-market-clock]").forEach((element) => {
      element.textContent = marketFormat.format(now).slice(0, clock.speed > 60 ? 16 : 19);
    });
    document.querySelectorAll("[data-countdown]").forEach((element) => {
      const left = (Date.parse(element.dataset.countdown) - now) / (clock.speed || 1);
      element.textContent = timeLeft(left);
      element.classList.toggle("countdown-soon", left < 30000);
      if (left <= 0 && !element.dataset.over) {
        element.dataset.over = "yes";
        document.body.dispatchEvent(new CustomEvent("countdown-over", { bubbles: true }));
      }
    });
  }

  /* --- htmx: token on every request, failures said aloud --------------------------------------- */

  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]')?.content;
    if (event.detail.verb !== "get" && token) event.detail.headers["X-CSRFToken"] = token;
  });
  ["htmx:responseError", "htmx:sendError"].forEach((name) =>
    document.addEventListener(name, () => announce(texts.refresh_failed)));

  /* --- menus, notices, copying, rows ----------------------------------------------------------- */

  function closeMenus(except) {
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (menu !== except && !menu.contains(except)) menu.open = false;
    });
  }

  function toggleNavigation(button) {
    const open = document.getElementById("site-nav").classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(open));
  }

  function press(button, group) {
    document.querySelectorAll("[" + group + "]").forEach((other) =>
      other.setAttribute("aria-pressed", String(other === button)));
  }

  function copy(button) {
    navigator.clipboard?.writeText(button.dataset.copy).then(() => announce(texts.copied));
  }

  function followRow(event) {
    const row = event.target.closest("tr[data-href]");
    if (!row || event.target.closest("a, button, input, label, select, summary")) return;
    if (String(window.getSelection())) return;
    window.location.assign(row.dataset.href);
  }

  const actions = [
    [".nav-toggle", toggleNavigation],
    ["[data-dismiss]", (button) => button.closest(".notice").remove()],
    ["[data-copy]", copy],
    ["[data-print]", () => window.print()],
    ["[data-set-theme]", (button) => { window.hengsuanTheme.setTheme(button.dataset.setTheme); press(button, "data-set-theme"); }],
    ["[data-set-rise]", (button) => { window.hengsuanTheme.setRise(button.dataset.setRise); press(button, "data-set-rise"); }],
  ];

  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest("details[data-menu]"));
    for (const [selector, act] of actions) {
      const button = event.target.closest(selector);
      if (button) return act(button);
    }
    return followRow(event);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details[data-menu][open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  /* --- questions before irreversible acts ------------------------------------------------------ */

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const dialog = form.dataset?.confirm && document.getElementById(form.dataset.confirm);
    if (!dialog || form.dataset.confirmed === "yes") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(form, dialog, event.submitter);
  }, true);

  function ask(form, dialog, submitter) {
    dialog.querySelectorAll("[data-mirror]").forEach((target) => {
      const source = document.querySelector(target.dataset.mirror);
      if (source) target.textContent = (source.value ?? source.textContent).trim();
    });
    dialog.returnValue = "cancel";
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "confirm") return;
      form.dataset.confirmed = "yes";
      form.requestSubmit(submitter || undefined);
      delete form.dataset.confirmed;
    }, { once: true });
    dialog.showModal();
  }

  /* --- whatever a page or a fragment brings ---------------------------------------------------- */

  function labelCells(table) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => {
      const copyOfHead = head.cloneNode(true);
      copyOfHead.querySelectorAll(".visually-hidden, svg").forEach((part) => part.remove());
      return copyOfHead.textContent.trim();
    });
    table.setAttribute("role", "table");
    table.querySelectorAll(":is(tbody, tfoot) > tr").forEach((row) => {
      row.setAttribute("role", "row");
      let column = 0;
      for (const cell of row.children) {
        cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
        if (cell.tagName === "TD" && !cell.dataset.label && cell.colSpan === 1) cell.dataset.label = heads[column] || "";
        // A phone leaves out what has no value.
        if (cell.textContent.trim() === "–") cell.dataset.none = "";
        column += cell.colSpan;
      }
    });
    table.querySelectorAll("thead, tbody, tfoot").forEach((part) => part.setAttribute("role", "rowgroup"));
    table.querySelectorAll("thead tr").forEach((row) => row.setAttribute("role", "row"));
    table.querySelectorAll("thead th").forEach((head) => head.setAttribute("role", "columnheader"));
  }

  function all(scope, selector) {
    const inside = [...scope.querySelectorAll(selector)];
    return scope.matches?.(selector) ? [scope, ...inside] : inside;
  }

  function prepare(scope) {
    all(scope, "[data-market-now]").forEach(readClock);
    all(scope, ".hs-table-cards").forEach(labelCells);
    all(scope, "[data-announce]").forEach((element) => announce(element.textContent.trim()));
    all(scope, "[data-focus]").slice(0, 1).forEach((element) => element.focus());
    tick();
  }

  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
  prepare(document.body);
  root.classList.add("ready");
  setInterval(tick, 500);
})();
