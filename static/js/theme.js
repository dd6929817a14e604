/* Runs before the stylesheets so that nothing flashes: theme and price colours from cookies. */
(function () {
  "use strict";
  const root = document.documentElement;
  const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

  function cookie(name) {
    const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  }

  function remember(name, value) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = name + "=" + value + "; Path=/; Max-Age=31536000; SameSite=Lax" + secure;
  }

  function apply() {
    const choice = root.dataset.themeChoice || "auto";
    const shown = choice === "auto" ? (darkSystem.matches ? "dark" : "light") : choice;
    if (root.dataset.bsTheme === shown) return;
    root.dataset.bsTheme = shown;
    document.dispatchEvent(new CustomEvent("theme-changed"));
  }

  window.hengsuanTheme = {
    setTheme(choice) {
      remember("theme", choice);
      root.dataset.themeChoice = choice;
      apply();
    },
    setRise(colour) {
      remember("rise", colour);
      root.dataset.rise = colour;
      document.dispatchEvent(new CustomEvent("theme-changed"));
    },
  };

  /* Charts are pictures in the colours of the moment: print them in the light ones. */
  window.addEventListener("beforeprint", () => {
    if (root.dataset.bsTheme !== "dark") return;
    root.dataset.bsTheme = "light";
    document.dispatchEvent(new CustomEvent("theme-changed"));
    window.addEventListener("afterprint", apply, { once: true });
  });

  root.classList.add("js");
  root.dataset.themeChoice = ["light", "dark"].includes(cookie("theme")) ? cookie("theme") : "auto";
  darkSystem.addEventListener("change", apply);
  apply();
})();
