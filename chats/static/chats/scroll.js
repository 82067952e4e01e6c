/**
 * The one owner of the thread's scroll position: follows the end while the reader is there, and lets go at the
 * first movement upwards.
 */
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
    const observer = new ResizeObserver(() => this.#grown());
    observer.observe(content);
    observer.observe(scroller);
  }

  /** Goes to the end and follows it: after sending, on opening a chat. */
  toEnd() {
    this.#following = true;
    this.#button.hidden = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Stays where it is, whatever comes: another version of a message is read from where its arrows are. */
  letGo() {
    this.#following = false;
  }

  #grown() {
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#height = this.#scroller.scrollHeight;
  }

  #moved() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const atEnd = scrollHeight - clientHeight - scrollTop <= AT_END;
    // Content that shrinks moves the position too; that isn't the reader's doing.
    const upwards = scrollTop < this.#top - LETS_GO && scrollHeight >= this.#height;
    if (atEnd) this.#following = true;
    else if (upwards) this.#following = false;
    this.#button.hidden = this.#following || atEnd;
    this.#top = scrollTop;
  }
}
