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
    const heard = playedAfter(newest, pc);
    if (heard > newest || !expected()) since = now;
    newest = heard;
    if (newest === told || now - since < STALLED_MS) return;
    told = newest;
    stalled();
  }, PERIOD_MS);
  return () => clearInterval(timer);
}

/** When a packet of whoever comes first was played, after that time; else that time. To ask everybody costs a slow phone something. */
function playedAfter(time, pc) {
  for (const receiver of pc.getReceivers()) {
    const later = receiver.getSynchronizationSources().find(({ timestamp }) => timestamp > time);
    if (later) return later.timestamp;
  }
  return time;
}
