/* Short messages, read out by screen readers; one may carry a button. */

/** Show `text` for `ms`, with a button if there is an `action` ({label, act}); the same text is not stacked twice. */
export function toast(text, ms = 3200, action = null) {
  const box = document.getElementById("toasts");
  if (!box || [...box.children].some((child) => child.firstChild.textContent === text)) return;
  const item = document.createElement("div");
  item.className = "toast";
  item.append(text);
  // An open modal dialog makes the rest of the page inert: the message goes inside it.
  const modal = document.querySelector("dialog:modal");
  (modal ?? document.body).append(box);
  const leave = () => {
    item.classList.add("toast--leaving");
    setTimeout(() => item.remove(), 200);
  };
  let timer = setTimeout(leave, ms);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action.label;
    button.addEventListener("click", () => {
      leave();
      action.act();
    });
    item.append(button);
    // Who is about to press it is not hurried.
    for (const name of ["pointerenter", "focusin"]) item.addEventListener(name, () => clearTimeout(timer));
    for (const name of ["pointerleave", "focusout"]) {
      item.addEventListener(name, () => (timer = setTimeout(leave, 2000)));
    }
  }
  box.append(item);
}
