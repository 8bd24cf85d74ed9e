/* The panel of the comments: a sheet on phones, beside the clip on wide screens.
   The fragments are the server's own HTML, moved by htmx. */
import { showCount } from "./actions.js";
import { csrfToken } from "./api.js";
import { htmx } from "./kit.js";

const WIDE = matchMedia("(min-width: 1000px)");
const dialog = document.getElementById("comments");
const body = document.getElementById("comments-body");
const SKELETON = '<div class="skeleton-comments" aria-hidden="true"><i></i><i></i><i></i><i></i></div>';

let article = null;
let opener = null;
let shownFor = null;

async function load() {
  const { clip } = article.dataset;
  const button = article.querySelector("[data-open-comments]");
  shownFor = clip;
  body.innerHTML = SKELETON;
  body.scrollTop = 0;
  showNumber(Number(button?.dataset.count ?? 0));
  try {
    const kit = await htmx();
    // The clip and not its element: a page that gets its order back makes that anew.
    if (clip === article.dataset.clip) await kit.ajax("GET", button.getAttribute("href"), { target: body, swap: "innerHTML" });
  } catch {
    showTrouble();
  }
}

function showTrouble() {
  body.innerHTML = '<div class="empty"><p class="empty__text"></p><button type="button" class="button button--ghost"></button></div>';
  body.querySelector("p").textContent = "The comments did not load.";
  const button = body.querySelector("button");
  button.textContent = "Try again";
  button.addEventListener("click", load);
}

function showNumber(count) {
  dialog.querySelector("[data-comments-count]").textContent = count ? count.toLocaleString() : "";
}

/* What the fragment says about the number of comments goes to the clip's button too. */
function syncCount() {
  const box = body.querySelector("[data-comments]");
  const button = article?.querySelector("[data-open-comments]");
  if (!box || box.dataset.for !== article?.dataset.clip || !button) return;
  showCount(button, Number(box.dataset.count));
  showNumber(Number(box.dataset.count));
}

/** Open the comments of `clip`; `from` gets the focus back. */
export function openComments(clip, from) {
  article = clip;
  opener = from ?? document.activeElement;
  if (!dialog.open) {
    if (WIDE.matches) dialog.show();
    else dialog.showModal();
    document.querySelector("[data-feed]").classList.toggle("has-comments", WIDE.matches);
  }
  if (shownFor !== clip.dataset.clip) load();
  dialog.querySelector("[data-close]").focus({ preventScroll: true });
}

/** The clip changed: an open panel follows it. */
export function followClip(clip) {
  if (!dialog.open) return;
  article = clip;
  if (shownFor !== clip.dataset.clip) load();
}

dialog?.addEventListener("close", () => {
  document.querySelector("[data-feed]").classList.remove("has-comments");
  const back = opener?.isConnected ? opener : article;
  back?.focus({ preventScroll: true });
});
// A panel that is not modal does not close by Escape on its own.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && dialog?.open && !dialog.matches(":modal") && !document.querySelector("dialog:modal")) {
    dialog.close();
  }
});
body?.addEventListener("htmx:afterSettle", syncCount);
body?.addEventListener("comments:count", syncCount);
body?.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = csrfToken();
});
// Refusals come as a fragment with the reason: show it in place of the form.
body?.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = event.detail;
  if (xhr.status === 422 || xhr.status === 400) {
    if (xhr.responseText.includes("data-comments")) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  } else if (xhr.status >= 400 && target === body) showTrouble();
});
body?.addEventListener("htmx:responseError", async (event) => {
  const { toast } = await import("./toast.js");
  let words = "";
  try {
    words = JSON.parse(event.detail.xhr.responseText).detail;
  } catch {
    words = event.detail.xhr.status === 429 ? "Slow down a little and try again." : "That did not work. Try again.";
  }
  toast(words);
});
body?.addEventListener("htmx:sendError", async () => {
  const { toast } = await import("./toast.js");
  toast("No connection. Try again when you are back online.");
});
body?.addEventListener("focusin", async ({ target }) => {
  if (!target.matches("[data-mentions]") || target.dataset.mentions) return;
  target.dataset.mentions = "on";
  const { complete } = await import("./mentions.js");
  complete(target);
});
body?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reply]");
  if (!button) return;
  const form = document.getElementById(`reply-${button.dataset.reply}`);
  form.classList.toggle("is-open");
  button.setAttribute("aria-expanded", form.classList.contains("is-open"));
  if (form.classList.contains("is-open")) form.elements.text.focus();
});
body?.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  if (event.target.matches("[data-submit-on-enter]")) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});
