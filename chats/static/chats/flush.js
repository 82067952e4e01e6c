/**
 * When to draw: at once after a quiet moment, and seldom enough under load that drawing stays a small share of
 * the main thread's time.
 *
 * A drawing is a task of its own, not an animation frame's: the scroll event that follows from it is then heard in
 * the frame that paints it, while one from an animation frame would ask for a second frame.
 */
const SHORTEST = 33; // ms between drawings
const LONGEST = 400; // ms, also where a drawing costs so much that the share can't be kept: words must be seen to come
const SHARE = 64; // a drawing that took t, its layout included, is followed by 64 t of rest: painting takes 1.4 t of it
const WEIGHT = 1 / 4; // of the newest cost in the average: one that was kept waiting says little

export class Flush {
  #draw;
  #waiting = false;
  #nextAt = -Infinity;
  #cost = 0; // ms

  /** @param {() => void} draw brings the page up to date, and its layout too, so that it is known what it costs */
  constructor(draw) {
    this.#draw = draw;
  }

  request() {
    if (this.#waiting) return;
    this.#waiting = true;
    setTimeout(() => this.#run(), Math.max(0, this.#nextAt - performance.now()));
  }

  #run() {
    const began = performance.now();
    this.#waiting = false;
    this.#draw();
    const ended = performance.now();
    this.#cost += WEIGHT * (ended - began - this.#cost);
    this.#nextAt = ended + Math.min(LONGEST, Math.max(SHORTEST, SHARE * this.#cost));
  }
}
