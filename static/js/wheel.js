/* One wheel gesture moves one clip.

   A mouse notch is one event; a touchpad swipe is a burst that rises, peaks, and then decays for
   a second of inertia. The first event of a burst counts; what follows is swallowed until either
   the burst pauses, turns round, or rises again after it had clearly decayed: that is a new
   gesture on top of the old inertia, which a plain time lock would lose. */

const PAUSE = 140; // ms without an event end a gesture
const SETTLE = 180; // ms in which a rising burst is still the same gesture
const STEADY = 420; // ms after which steady notches (held wheel) count again
const FAINT = 3; // px below which an event is noise

export class WheelGestures {
  #last = -Infinity;
  #since = -Infinity;
  #sign = 0;
  #peak = 0;
  #low = Infinity;
  #decaying = false;

  /** Feed one event; returns -1 or 1 when a gesture begins, else 0. `delta` in pixels, `now` in ms. */
  feed(delta, now) {
    const size = Math.abs(delta);
    const sign = Math.sign(delta);
    const gap = now - this.#last;
    this.#last = now;
    if (!sign) return 0;
    if (gap > PAUSE || sign !== this.#sign) {
      // Faint events, as trackpads send when a finger rests, do not begin anything.
      if (size < FAINT) {
        if (gap > PAUSE) this.#sign = 0;
        return 0;
      }
      return this.#begin(sign, size, now);
    }
    const age = now - this.#since;
    this.#peak = Math.max(this.#peak, this.#decaying ? 0 : size);
    if (size < this.#peak * 0.6) this.#decaying = true;
    if (this.#decaying) {
      this.#low = Math.min(this.#low, size);
      const rises = size > this.#low * 2 && size > this.#low + 16;
      if (age > SETTLE && rises) return this.#begin(sign, size, now);
    } else if (age > STEADY && size >= 60 && gap > 30) {
      return this.#begin(sign, size, now);
    }
    return 0;
  }

  #begin(sign, size, now) {
    this.#since = now;
    this.#sign = sign;
    this.#peak = size;
    this.#low = Infinity;
    this.#decaying = false;
    return sign;
  }
}

/** Wheel deltas come in pixels, lines or pages. */
export function pixels(event) {
  if (event.deltaMode === 1) return event.deltaY * 32;
  if (event.deltaMode === 2) return event.deltaY * innerHeight;
  return event.deltaY;
}

/** Call `move(±1)` once a gesture over `scroller`. */
export function bindWheel(scroller, move) {
  const gestures = new WheelGestures();
  scroller.addEventListener("wheel", (event) => {
    if (event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    const step = gestures.feed(pixels(event), event.timeStamp);
    if (step) move(step);
  }, { passive: false });
}
