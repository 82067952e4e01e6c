/**
 * The one owner of the thread's scroll position: follows the end while the reader is there, and lets go at the
 * first movement upwards.
 */
import { setHidden } from "wb/dom";

const AT_END = 4; // px that count as the end
const LETS_GO = 2; // px upwards that count as a movement

export class Follower {
  #scroller;
  #button;
  #following = true;
  #top = 0;
  #height = 0;

  constructor(scroller, content, button) {
    this.#scroller = scroller;
    this.#button = button;
    scroller.addEventListener("scroll", () => this.#moved(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    // Whatever nobody draws: pictures that come, cards that are opened, the window.
    const observer = new ResizeObserver(() => this.#stay());
    observer.observe(content);
    observer.observe(scroller);
  }

  /** Goes to the end and follows it: after sending, on opening a chat. */
  toEnd() {
    this.#following = true;
    setHidden(this.#button, true);
    this.#stay();
  }

  /**
   * The content was changed. To be called where that is done: what is at the end would else be seen to jump, as a
   * frame's layout is looked at before its observers are. Does the layout, which the frame needs anyway.
   */
  follow() {
    if (this.#scroller.scrollHeight !== this.#height) this.#stay();
  }

  /** Stays where it is, whatever comes: another version of a message is read from where its arrows are. */
  letGo() {
    this.#following = false;
  }

  #stay() {
    this.#height = this.#scroller.scrollHeight;
    if (!this.#following) return;
    this.#scroller.scrollTop = this.#height;
    this.#top = this.#scroller.scrollTop; // from here on, what is less is the reader's doing
  }

  #moved() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const atEnd = scrollHeight - clientHeight - scrollTop <= AT_END;
    // Content that shrinks moves the position too; that isn't the reader's doing.
    const upwards = scrollTop < this.#top - LETS_GO && scrollHeight >= this.#height;
    if (atEnd) this.#following = true;
    else if (upwards) this.#following = false;
    setHidden(this.#button, this.#following || atEnd);
    this.#top = scrollTop;
  }
}
