/* What a person prefers on this device. Any `[data-pref="name"]` control on a page is bound. */

const KEY = "loopy.prefs";
const DEFAULTS = { muted: true, keys: true, autoplay: true, captions: true, saver: false, speed: 1, theme: "" };

function read() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

const values = read();

/** The preference `name`. */
export const pref = (name) => values[name];

/** Remember `name`; private windows may refuse, and then it lasts as long as the page. */
export function setPref(name, value) {
  values[name] = value;
  try {
    localStorage.setItem(KEY, JSON.stringify(values));
  } catch {
    /* nothing to do */
  }
}

/** Whether the system asks for less motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Use `theme`: dark, light, or "" for the system's. A cookie, so that the server can draw it at once. */
export function setTheme(theme) {
  setPref("theme", theme);
  const age = theme ? 31536000 : 0;
  document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax`;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  // The frame of the browser (or of the installed app) goes with it.
  for (const tag of document.querySelectorAll("meta[name=theme-color][media]")) {
    const own = tag.media.includes("dark") ? "dark" : "light";
    tag.content = tag.dataset[theme || own];
  }
}

/** Switch between dark and light, starting from what is visible. */
export function toggleTheme() {
  const set = document.documentElement.dataset.theme;
  const dark = set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  setTheme(dark ? "light" : "dark");
}

/** Bind every `[data-pref]` control under `root`: checkboxes, selects and radio groups. */
export function bindPrefs(root) {
  for (const control of root.querySelectorAll("[data-pref]")) {
    const name = control.dataset.pref;
    const flag = control.type === "checkbox";
    // A control may say the opposite of the preference: "start with sound" is not muted.
    const flip = control.hasAttribute("data-pref-not");
    if (flag) control.checked = Boolean(values[name]) !== flip;
    else if (control.type === "radio") control.checked = String(values[name]) === control.value;
    else control.value = String(values[name]);
    control.addEventListener("change", () => {
      if (flag) setPref(name, control.checked !== flip);
      else if (name === "theme") setTheme(control.value);
      else setPref(name, isNaN(Number(control.value)) ? control.value : Number(control.value));
    });
  }
}
