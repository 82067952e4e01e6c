/**
 * Which messages of a chat are one another's alternatives: the tree, by ids alone. Pure.
 */
export class Branches {
  #parents = new Map(); // id → parent's id, or null
  #children = new Map(); // parent's id, or null → ids, oldest first: ids sort by time

  /** @param {Iterable<[string, string | null]>} pairs of id and parent's id; known ones are no news */
  learn(pairs) {
    for (const [id, parent] of pairs) {
      if (this.#parents.has(id)) continue;
      this.#parents.set(id, parent);
      const children = this.#children.get(parent) ?? [];
      children.push(id);
      if (children.length > 1) children.sort();
      this.#children.set(parent, children);
    }
  }

  /** The alternatives to a message, itself among them. @returns {string[]} */
  alternatives(id) {
    return this.#parents.has(id) ? this.#children.get(this.#parents.get(id)) : [id];
  }

  /** Where the branch ends that goes through `id` and was written last. */
  newestLeaf(id) {
    let newest = id;
    const open = [id];
    while (open.length > 0) {
      const children = this.#children.get(open.pop()) ?? [];
      for (const child of children) if (child > newest) newest = child;
      open.push(...children);
    }
    return newest;
  }
}
