// Runs before the page is drawn, so that a chosen theme never flashes.
(() => {
  const root = document.documentElement;
  root.classList.add("scripts");
  const chosen = () => { try { return localStorage.getItem("drivetrain-theme"); } catch { return null; } };
  const apply = (theme) => { if (theme) root.dataset.theme = theme; else delete root.dataset.theme; };
  apply(chosen());
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const showing = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  const changed = () => document.dispatchEvent(new Event("theme"));
  dark.addEventListener("change", changed);
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector(".side nav a[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
    const button = document.querySelector(".theme");
    if (!button) return;
    const name = () => { button.textContent = showing() === "dark" ? "Light theme" : "Dark theme"; };
    button.hidden = false;
    name();
    document.addEventListener("theme", name);
    button.addEventListener("click", () => {
      const next = showing() === "dark" ? "light" : "dark";
      try { localStorage.setItem("drivetrain-theme", next); } catch { /* kept for this page only */ }
      apply(next);
      changed();
    });
  });
})();
