/* What every page needs: the theme, preferences, follow buttons, invitations. */
import { bindPrefs, toggleTheme } from "./prefs.js";
import { bindActions } from "./actions.js";
import "./page.js";

document.querySelectorAll("[data-theme-toggle]").forEach((button) => {
  button.addEventListener("click", toggleTheme);
});
bindPrefs(document);
bindActions(document);
// The feed moves its own fragments; other pages that ask for htmx in their markup get it, when
// what one sees is there: until then links and forms work by themselves.
const wakeFragments = () => import("./kit.js").then(({ htmx }) => htmx()).catch(() => {});
if (!document.querySelector("[data-feed], script[src*='/htmx']") && document.querySelector("[data-hx-get]:not([data-suggest]), [data-hx-post]")) {
  if (document.readyState === "complete") wakeFragments();
  else addEventListener("load", wakeFragments, { once: true });
}
// Whether there is news is asked when what one sees is there.
const wakeNews = () => import("./notifications.js");
if (document.body.dataset.news) {
  if (document.readyState === "complete") wakeNews();
  else addEventListener("load", wakeNews, { once: true });
}
// The sections of the settings scroll sideways on a phone: show the one that is open.
document.querySelector(".sections [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
// What an unfinished upload left in this browser goes before its owner does, who waits a moment.
document.querySelector("[data-signout]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const forget = import("./unfinished.js").then((kept) => kept.forgetAll()).catch(() => {});
  await Promise.race([forget, new Promise((resolve) => setTimeout(resolve, 2000))]);
  form.submit();
});
