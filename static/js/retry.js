/* Fragments that did not come: a place that waits for one offers to try again, a link says what happened.
   Comes with htmx (kit.js). */
import { toast } from "./toast.js";

const { failed, retry } = document.body.dataset;

function said(xhr) {
  try {
    return JSON.parse(xhr.responseText).detail;
  } catch {
    return "";
  }
}

function offer(place, path) {
  const card = document.createElement("div");
  card.className = "empty";
  card.setAttribute("role", "alert");
  const text = document.createElement("p");
  text.className = "empty__text";
  text.textContent = failed;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button--ghost";
  button.textContent = retry;
  button.addEventListener("click", () => {
    button.disabled = true;
    window.htmx.ajax("GET", path, { source: place });
  });
  card.append(text, button);
  place.replaceChildren(card);
}

function onTrouble({ detail, target }) {
  if (target.closest("#comments-body") || target.matches("[data-suggest]")) return; // talk.js tells there
  const trigger = target.getAttribute("data-hx-trigger") ?? "";
  if (trigger.startsWith("every")) return; // it asks again by itself
  if (trigger === "load") offer(target, detail.pathInfo.requestPath);
  else toast(said(detail.xhr) || failed);
}

for (const name of ["responseError", "sendError", "timeout"]) document.addEventListener(`htmx:${name}`, onTrouble);
