/**
 * Libraries that are loaded when they are first needed, and that the page can do without.
 */

/**
 * @template T
 * @param {string} name the import map's @param {(name: string) => Promise<T>} load
 * @returns {{use: (then: (library: T) => void) => void}} `use` calls back at once if the library is there, later if
 *   it comes, and never if it doesn't: what is on the page then stays.
 */
export function optional(name, load) {
  let library = null;
  let loading = null;
  const begin = () =>
    isInstalled(name)
      ? load(name).then((loaded) => (library = loaded), (error) => void console.warn(`${name}: ${error.message}`))
      : Promise.resolve(null);
  return {
    use(then) {
      if (library !== null) return then(library);
      loading ??= begin();
      return void loading.then((loaded) => loaded && then(loaded));
    },
  };
}

/** Whether the site has it: it is left out of the import map where `make setup` couldn't get it. */
export function isInstalled(name) {
  try {
    return Boolean(import.meta.resolve(name));
  } catch {
    return false;
  }
}
