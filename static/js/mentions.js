/* Completion of @handles and #tags while one writes: a list box over the field, driven by the
arrow keys. */
import { call } from "./api.js";

const UNFINISHED = {
  "@": /(?:^|[^\w@])@([\w.]{1,24})$/,
  "#": /(?:^|[^\p{L}\p{N}_#&])#([\p{L}\p{M}\p{N}_]{1,50})$/u,
};
const LISTS = { "@": "/users?q=", "#": "/hashtags?q=" };
const PATIENCE = 150; // ms without a key before the server is asked
const MOST = 6;
let count = 0;

function row(sign, found, id) {
  const option = document.createElement("div");
  option.setAttribute("role", "option");
  option.id = id;
  option.dataset.word = found.handle ?? found.name;
  const more = document.createElement("small");
  more.textContent = sign === "@" ? found.name : found.videos_count.toLocaleString();
  option.append(`${sign}${option.dataset.word}`, more);
  return option;
}

/** Complete in `field`, an input or a text area, the words that begin with one of `signs`. */
export function complete(field, signs = "@") {
  const box = document.createElement("div");
  box.className = "mentions";
  box.id = `mentions-${(count += 1)}`;
  box.hidden = true;
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", signs);
  if (field.closest(".field")) field.after(box);
  else field.closest("form").append(box);
  field.setAttribute("aria-controls", box.id);
  field.setAttribute("aria-autocomplete", "list");
  let timer = 0;
  let wanted = null;
  let chosen = -1;

  const close = () => {
    wanted = null;
    box.hidden = true;
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (place) => {
    const options = [...box.children];
    chosen = (place + options.length) % options.length;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === chosen)));
    options[chosen].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", options[chosen].id);
  };
  const typed = () => {
    const before = field.value.slice(0, field.selectionStart);
    for (const sign of signs) {
      const word = UNFINISHED[sign].exec(before)?.[1];
      if (word) return { sign, word };
    }
    return null;
  };
  const take = (option) => {
    const before = field.value.slice(0, field.selectionStart);
    const start = before.length - typed().word.length;
    field.setRangeText(`${option.dataset.word} `, start, before.length, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    close();
    field.focus();
  };
  const ask = async () => {
    const last = typed();
    if (!last) return;
    wanted = last.sign + last.word;
    let found = [];
    try {
      ({ results: found } = await call("GET", LISTS[last.sign] + encodeURIComponent(last.word)));
    } catch {
      /* one can write the word oneself */
    }
    if (wanted !== last.sign + last.word) return;
    const rows = found.slice(0, MOST).map((one, index) => row(last.sign, one, `${box.id}-${index}`));
    box.replaceChildren(...rows);
    if (box.previousElementSibling === field) box.style.insetBlockStart = `${field.offsetTop + field.offsetHeight + 6}px`;
    box.hidden = !rows.length;
    if (rows.length) choose(0);
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    if (typed()) timer = setTimeout(ask, PATIENCE);
    else close();
  });
  field.addEventListener("keydown", (event) => {
    if (box.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) choose(chosen + step);
    else if (event.key === "Enter" || event.key === "Tab") take(box.children[chosen]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  field.addEventListener("blur", close);
  box.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the field keeps the focus
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
}
