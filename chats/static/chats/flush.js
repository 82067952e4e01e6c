/**
 * When to draw: at once after a quiet moment, and seldom enough under load that drawing stays a small share of
 * the main thread's time. What counts is the whole frame: layout and paint cost more than our own work.
 */
const SHORTEST = 33; // ms between drawings
const LONGEST = 200; // ms, also where a frame costs so much that the share can't be kept: words must be seen to come
const SHARE = 24; // a frame that took t is followed by 24 t of rest
const HIDDEN = 250; // ms; a hidden page has no animation frames

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
    const began = performance.now();
    this.#waiting = false;
    this.#draw();
    this.#drawnAt = performance.now();
    this.#rest = SHORTEST;
    afterFrame(() => {
      const took = performance.now() - began;
      this.#rest = Math.min(LONGEST, Math.max(SHORTEST, SHARE * took));
    });
  }
}

/** A message is taken as soon as the browser is done with the frame. */
function afterFrame(then) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    then();
  };
  port2.postMessage(null);
}
