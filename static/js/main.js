/* What every page needs: the theme, preferences, follow buttons, invitations. */
import { bindPrefs, toggleTheme } from "./prefs.js";
import { bindActions } from "./actions.js";

document.querySelectorAll("[data-theme-toggle]").forEach((button) => {
  button.addEventListener("click", toggleTheme);
});
bindPrefs(document);
bindActions(document);
