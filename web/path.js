/**
 * Notices that the way to the server is dead, sooner than the browser does: somebody ought to be heard, and
 * nothing comes any more.
 */

const PERIOD_MS = 250;
/** Who says nothing sends a packet every 400 ms all the same. */
const STALLED_MS = 1_250;

/**
 * @param {RTCPeerConnection} pc
 * @param {() => boolean} expected whether anybody ought to be heard now
 * @param {() => void} stalled called once, until something comes again
 * @returns {() => void} ends it
 */
export function watchPath(pc, expected, stalled) {
  let newest = 0;
  let told = 0;
  let since = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const heard = latest(pc);
    if (heard > newest || !expected()) since = now;
    newest = Math.max(newest, heard);
    if (newest === told || now - since < STALLED_MS) return;
    told = newest;
    stalled();
  }, PERIOD_MS);
  return () => clearInterval(timer);
}

/** When the last packet of anybody was played. */
function latest(pc) {
  const sources = pc.getReceivers().flatMap((receiver) => receiver.getSynchronizationSources());
  return Math.max(0, ...sources.map(({ timestamp }) => timestamp));
}
