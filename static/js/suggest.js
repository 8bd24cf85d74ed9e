/* Suggestions under a search box: htmx fetches the links, the arrow keys walk through them. */
import { htmx } from "./kit.js";

/** Wake the suggestions of `input`; its box is the next `[data-suggestions]`. */
export async function suggest(input) {
  const form = input.form;
  const box = form.querySelector("[data-suggestions]");
  const links = () => [...box.querySelectorAll("a")];
  const close = () => {
    box.hidden = true;
  };
  const open = () => {
    box.hidden = !links().length;
  };
  // An answer for what has been typed since is not shown, nor one that comes after the focus has gone.
  box.addEventListener("htmx:beforeSwap", (event) => {
    const asked = new URL(event.detail.pathInfo.responsePath ?? event.detail.pathInfo.requestPath, location.href);
    event.detail.shouldSwap &&= asked.searchParams.get("q") === input.value.trim() || asked.searchParams.get("q") === input.value;
  });
  box.addEventListener("htmx:afterSwap", () => {
    if (form.contains(document.activeElement)) open();
  });
  input.addEventListener("input", () => {
    if (!input.value.trim()) {
      box.replaceChildren();
      close();
    }
  });
  input.addEventListener("focus", open);
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) close();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !box.hidden) {
      input.focus();
      close();
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || box.hidden) return;
    const stops = [input, ...links()];
    stops.at((stops.indexOf(document.activeElement) + step) % stops.length).focus();
    event.preventDefault();
  });
  // A press on a link must not lose the focus first, or the box would close under it.
  box.addEventListener("pointerdown", (event) => event.preventDefault());
  try {
    const kit = await htmx();
    if (input.value.trim()) kit.trigger(input, "search");
  } catch {
    /* the search itself works without suggestions */
  }
}
