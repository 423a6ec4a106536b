// Sets the theme before the first paint: the system's, until the visitor has chosen one.
// "theme" in localStorage is also what Reflex reads; anything unreadable counts as "system".
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const choices = ["system", "light", "dark"];
  const chosen = () => {
    try {
      const choice = localStorage.getItem("theme");
      return choices.includes(choice) ? choice : "system";
    } catch {
      return "system"; // storage can be switched off; the page still has a theme
    }
  };
  const show = (choice) => {
    const theme = choice === "system" ? (dark.matches ? "dark" : "light") : choice;
    root.dataset.theme = theme;
    root.dataset.themeChoice = choice;
    for (const button of document.querySelectorAll("[data-sets-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setsTheme === choice));
    }
  };
  show(chosen());
  dark.addEventListener("change", () => show(chosen()));
  window.addEventListener("storage", (event) => event.key === "theme" && show(chosen()));
  document.addEventListener("DOMContentLoaded", () => show(chosen()));
  document.addEventListener("toggle", () => show(chosen()), true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-sets-theme]");
    if (!button) return;
    try {
      localStorage.setItem("theme", button.dataset.setsTheme);
    } catch {
      // not remembered then, but shown
    }
    show(button.dataset.setsTheme);
  });
})();
