/* Pulling the first clip down asks for a new order. */

const FAR = 84; // px of pull that count
const STIFF = 0.45; // the page follows the finger by this share

/** Call `act` when `scroller` is pulled down at its top; `root` shows how far. */
export function bindPull(scroller, root, act) {
  const sign = root.querySelector("[data-pull]");
  let start = null;
  let pulled = 0;
  const show = (distance) => {
    pulled = distance;
    root.style.setProperty("--pull", `${distance}px`);
    root.style.setProperty("--pull-share", Math.min(1, distance / FAR));
    sign.classList.toggle("is-ready", distance >= FAR);
  };
  scroller.addEventListener("touchstart", (event) => {
    start = scroller.scrollTop <= 0 && event.touches.length === 1 ? event.touches[0].clientY : null;
  }, { passive: true });
  scroller.addEventListener("touchmove", (event) => {
    if (start === null) return;
    const way = event.touches[0].clientY - start;
    if (way < 0) start = null;
    show(Math.max(0, way * STIFF));
  }, { passive: true });
  const release = () => {
    if (pulled >= FAR) act();
    start = null;
    show(0);
  };
  scroller.addEventListener("touchend", release);
  scroller.addEventListener("touchcancel", () => {
    start = null;
    show(0);
  });
}
