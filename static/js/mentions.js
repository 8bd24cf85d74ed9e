/* Completion of @handles while one writes: a list box over the field, driven by the arrow keys. */
import { call } from "./api.js";

const UNFINISHED = /(?:^|[^\w@])@([\w.]{1,24})$/;
const PATIENCE = 150; // ms without a key before the server is asked
const MOST = 6;
let count = 0;

function row(person, id) {
  const option = document.createElement("div");
  option.setAttribute("role", "option");
  option.id = id;
  option.dataset.handle = person.handle;
  const name = document.createElement("small");
  name.textContent = person.name;
  option.append(`@${person.handle}`, name);
  return option;
}

/** Complete mentions in `field`, an input or a text area. */
export function complete(field) {
  const box = document.createElement("div");
  box.className = "mentions";
  box.id = `mentions-${(count += 1)}`;
  box.hidden = true;
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", "@");
  field.closest("form").append(box);
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
  const typed = () => UNFINISHED.exec(field.value.slice(0, field.selectionStart))?.[1];
  const take = (option) => {
    const before = field.value.slice(0, field.selectionStart);
    const start = before.length - typed().length;
    field.setRangeText(`${option.dataset.handle} `, start, before.length, "end");
    close();
    field.focus();
  };
  const ask = async () => {
    const word = typed();
    if (!word) return;
    wanted = word;
    let people = [];
    try {
      ({ results: people } = await call("GET", `/users?q=${encodeURIComponent(word)}`));
    } catch {
      /* one can write the handle oneself */
    }
    if (wanted !== word) return;
    box.replaceChildren(...people.slice(0, MOST).map((person, index) => row(person, `${box.id}-${index}`)));
    box.hidden = !people.length;
    if (people.length) choose(0);
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
