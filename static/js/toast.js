/* Short messages at the bottom, read out by screen readers. */

/** Show `text` for `ms`; the same text is not stacked twice. */
export function toast(text, ms = 3200) {
  const box = document.getElementById("toasts");
  if (!box || [...box.children].some((child) => child.textContent === text)) return;
  const item = document.createElement("p");
  item.className = "toast";
  item.textContent = text;
  // An open modal dialog makes the rest of the page inert: the message goes inside it.
  const modal = document.querySelector("dialog:modal");
  (modal ?? document.body).append(box);
  box.append(item);
  setTimeout(() => {
    item.classList.add("toast--leaving");
    setTimeout(() => item.remove(), 200);
  }, ms);
}
