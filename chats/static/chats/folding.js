/**
 * The list of chats put away on a wide screen, and brought back. Kept in a cookie, by which the server writes the next
 * page: nothing moves while that loads. On a narrow screen the list is a drawer, which the browser opens by itself.
 */
import { tellServer } from "wb/storage";

/** Puts the list away, or brings it back; the focus goes to the button that undoes it. */
export function turnList() {
  const isFolded = document.documentElement.toggleAttribute("data-folded");
  tellServer("list", isFolded ? "folded" : "");
  document.querySelector(isFolded ? ".top .fold" : "#sidebar .fold").focus();
}
