/** What comes one after the other is handled together: the first at once, then all that came meanwhile. */

/**
 * @template T
 * @param {number} ms from one time to the next
 * @param {(list: T[]) => void} act
 * @returns {(each: T) => void}
 */
export function together(ms, act) {
  /** @type {T[]} */
  let waiting = [];
  let timer = 0;
  let actedAt = -Infinity;
  const now = () => {
    const list = waiting;
    waiting = [];
    timer = 0;
    actedAt = performance.now();
    act(list);
  };
  return (each) => {
    waiting.push(each);
    const wait = actedAt + ms - performance.now();
    if (wait <= 0 && !timer) now();
    else timer ||= setTimeout(now, wait);
  };
}
