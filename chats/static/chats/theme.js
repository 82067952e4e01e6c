/**
 * Light, dark, or as the system is. Kept in a cookie, by which the server writes the next page (templatetags/theme.py):
 * no page is first shown in the wrong one.
 */
import { tellServer } from "wb/storage";

/** @param {"" | "light" | "dark"} theme "": as the system */
export function chooseTheme(theme) {
  tellServer("theme", theme);
  if (theme === "") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
