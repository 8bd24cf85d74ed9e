/* What was written stays on this device until it is posted, for a week at most. */

const KEPT_FOR = 7 * 24 * 3600 * 1000; // ms

/** Keep caption and audience of `form`; fills in what was kept. Returns `{forget()}`. */
export function draft(form) {
  const key = `draft:${document.body.dataset.signedIn}`;
  const { caption, visibility } = form.elements;
  const forget = () => {
    try {
      localStorage.removeItem(key);
    } catch {
      /* storage may be switched off */
    }
  };
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null");
    if (kept && Date.now() - kept.at > KEPT_FOR) forget();
    else if (kept && !caption.value) {
      caption.value = kept.caption;
      visibility.value = kept.visibility;
    }
  } catch {
    forget();
  }
  form.addEventListener("input", () => {
    if (!caption.value.trim()) {
      forget();
      return;
    }
    const kept = { caption: caption.value, visibility: visibility.value, at: Date.now() };
    try {
      localStorage.setItem(key, JSON.stringify(kept));
    } catch {
      /* full or switched off: it is only a comfort */
    }
  });
  return { forget };
}
