/**
 * A thumb, and the words that may go with it.
 */
import { h, icon } from "wb/dom";
import { gettext } from "wb/words";

const LONGEST = 2000; // characters of a comment

let storing = Promise.resolve(); // one after the other: of two that are on their way, the older could win

/**
 * Stores a thumb, or takes it back if it was given already, and offers a box for words.
 * @param {string} messageId
 * @param {{given: {rating: string | null, comment?: string} | null, rating: "up" | "down", button: HTMLElement}} press
 * @param {object} page `onRated(feedback)` is told at once, and again with what held before if the server refuses
 */
export async function rate(messageId, { given, rating, button }, { api, announce, onTrouble, onRated }) {
  const store = (feedback) => {
    onRated(feedback);
    storing = storing.catch(() => {}).then(() => send(feedback)); // whatever became of the one before
    return storing;
  };
  const send = async (feedback) => {
    try {
      await api.rate(messageId, feedback.rating, feedback.comment);
      announce(gettext("Thank you."));
    } catch (error) {
      onRated(given);
      onTrouble(error);
    }
  };
  const isTakenBack = given?.rating === rating;
  const comment = given?.rating === rating ? "" : (given?.comment ?? "");
  if (!isTakenBack) {
    const listeners = { onSend: (words) => store({ rating, comment: words }), onEnd: () => button.focus() };
    askForComment(button.closest(".actions"), { rating, comment }, listeners);
  } else {
    button.closest(".message").querySelector("form.commenter")?.remove();
  }
  await store(isTakenBack ? { rating: null, comment: "" } : { rating, comment });
}

/**
 * Opens the form for a comment below a message; the thumb itself is stored already.
 * @param {HTMLElement} place the element after which it stands @param {{rating: "up" | "down", comment: string}} feedback
 * @param {{onSend: (comment: string) => void, onEnd: () => void}} listeners
 */
function askForComment(place, { rating, comment }, { onSend, onEnd }) {
  place.parentElement.querySelector("form.commenter")?.remove();
  const label = rating === "up" ? gettext("What was good?") : gettext("What was wrong?");
  const box = h("textarea", { rows: 2, dir: "auto", maxlength: LONGEST, "aria-label": label, placeholder: label });
  const send = h("button", { type: "submit", class: "primary" }, gettext("Send"));
  const close = h("button", { type: "button", class: "quiet", "aria-label": gettext("Close") }, icon("close"));
  const form = h("form", { class: "commenter" }, box, h("div", { class: "row" }, close, send));
  box.value = comment;
  const end = () => {
    form.remove();
    onEnd();
  };
  close.addEventListener("click", end);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    end();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onSend(box.value.trim());
    end();
  });
  place.after(form);
  box.focus();
}
