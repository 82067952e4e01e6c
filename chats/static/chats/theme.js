/**
 * Light, dark, or as the system is. Kept in a cookie, by which the server writes the next page (templatetags/theme.py):
 * no page is first shown in the wrong one.
 */
const YEAR = 365 * 24 * 3600; // seconds

/** @param {"" | "light" | "dark"} theme "": as the system */
export function chooseTheme(theme) {
  const isSecure = location.protocol === "https:";
  const age = theme === "" ? 0 : YEAR;
  document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax${isSecure ? "; secure" : ""}`;
  if (theme === "") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
