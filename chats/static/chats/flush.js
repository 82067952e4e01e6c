/**
 * When to draw: at once after a quiet moment, and seldom enough under load that drawing stays a small share of
 * the main thread's time.
 */
const SHORTEST = 33; // ms between drawings
const SHARE = 4; // a drawing that took t is followed by 4 t of rest
const HIDDEN = 250; // a hidden page has no animation frames

export class Flush {
  #draw;
  #waiting = false;
  #rest = 0;
  #drawnAt = -Infinity;

  constructor(draw) {
    this.#draw = draw;
  }

  request() {
    if (this.#waiting) return;
    this.#waiting = true;
    const wait = Math.max(0, this.#drawnAt + this.#rest - performance.now());
    if (document.hidden) setTimeout(() => this.#run(), Math.max(HIDDEN, wait));
    else setTimeout(() => requestAnimationFrame(() => this.#run()), wait);
  }

  #run() {
    this.#waiting = false;
    const began = performance.now();
    this.#draw();
    this.#drawnAt = performance.now();
    this.#rest = Math.max(SHORTEST, SHARE * (this.#drawnAt - began));
  }
}
