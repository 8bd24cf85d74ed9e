/* What every page needs: the theme, preferences, follow buttons, invitations. */
import { bindPrefs, toggleTheme } from "./prefs.js";
import { bindActions } from "./actions.js";
import "./page.js";

document.querySelectorAll("[data-theme-toggle]").forEach((button) => {
  button.addEventListener("click", toggleTheme);
});
bindPrefs(document);
bindActions(document);
// The feed moves its own fragments; other pages that ask for htmx in their markup get it.
if (!document.querySelector("[data-feed], script[src*='/htmx']") && document.querySelector("[data-hx-get]:not([data-suggest]), [data-hx-post]")) {
  import("./kit.js").then(({ htmx }) => htmx()).catch(() => {});
}
// The sections of the settings scroll sideways on a phone: show the one that is open.
document.querySelector(".sections [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
