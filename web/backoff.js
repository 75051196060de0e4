/** Waiting before another try. */

/** Twice as long each time, and never the same for two clients that lost the same server. Milliseconds. */
export function backOff(attempt, first, longest) {
  return Math.min(longest, first * 2 ** attempt) * (0.5 + Math.random() / 2);
}

/** Until then, or until the network is back. @param {number} ms @returns {Promise<void>} */
export function pause(ms) {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      removeEventListener('online', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    addEventListener('online', over);
  });
}
