/* Small comforts of every page; what they need comes when it is first used. */

// Suggestions under the search boxes.
async function wakeSearch({ target }) {
  if (!target?.matches?.("[data-suggest]") || target.dataset.suggest) return;
  target.dataset.suggest = "on";
  const { suggest } = await import("./suggest.js");
  suggest(target);
}
document.addEventListener("focusin", wakeSearch);
wakeSearch({ target: document.activeElement }); // a field with autofocus has it already

// Moving previews in grids, under the pointer or the focus.
for (const name of ["pointerover", "focusin"]) {
  document.addEventListener(name, async ({ target, pointerType }) => {
    const link = target.closest?.("a[data-preview]");
    if (!link || pointerType === "touch" || link.matches(".is-previewed")) return;
    const { preview } = await import("./preview.js");
    preview(link);
  });
}

// A banner while there is no connection.
const banner = document.getElementById("offline");
let calm = 0;
function tell(online) {
  clearTimeout(calm);
  banner.textContent = online ? banner.dataset.online : banner.dataset.offline;
  banner.classList.toggle("is-back", online);
  if (online) calm = setTimeout(() => (banner.textContent = ""), 2500);
}
if (banner) {
  addEventListener("offline", () => tell(false));
  addEventListener("online", () => tell(true));
  if (!navigator.onLine) tell(false);
}
