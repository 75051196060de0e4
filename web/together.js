/**
 * What comes one after the other is handled together: the first at once, then all that came meanwhile.
 *
 * All that is handled every so many milliseconds goes by one clock, so that what is due together is drawn together:
 * a frame costs the page nearly the same, whatever changes in it.
 */

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
    clearTimeout(timer);
    timer = 0;
    actedAt = performance.now();
    act(list);
  };
  return (each) => {
    waiting.push(each);
    const time = performance.now();
    // Of a page that nobody sees nothing is drawn, and browsers let its timers wait.
    if (time - actedAt >= ms || document.hidden) now();
    else timer ||= setTimeout(now, ms - (time % ms));
  };
}
