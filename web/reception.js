/** How each voice arrives here: what share of it was missing and had to be made up, every few seconds. */

const PERIOD_MS = 5_000;
/** Less than a quarter of a second of sound says nothing. */
const ENOUGH_SAMPLES = 12_000;

/**
 * @param {RTCPeerConnection} pc
 * @param {(missing: Map<string, number>) => void} told mid → 0 to 1, of what has been heard since the last time
 * @returns {() => void} ends it
 */
export function watchReception(pc, told) {
  /** @type {Map<string, {total: number, made: number}>} */
  let before = new Map();
  const timer = setInterval(async () => {
    const now = new Map();
    const missing = new Map();
    for (const each of (await pc.getStats()).values()) {
      if (each.type !== 'inbound-rtp' || !each.mid) continue;
      const total = each.totalSamplesReceived ?? 0;
      // A silence is made up by design; only what stands for lost sound counts.
      const made = (each.concealedSamples ?? 0) - (each.silentConcealedSamples ?? 0);
      now.set(each.mid, { total, made });
      const was = before.get(each.mid) ?? { total: 0, made: 0 };
      if (total - was.total > ENOUGH_SAMPLES) missing.set(each.mid, Math.max(0, made - was.made) / (total - was.total));
    }
    const first = before.size === 0; // the beginning of a stream is no measure of it
    before = now;
    if (!first) told(missing);
  }, PERIOD_MS);
  return () => clearInterval(timer);
}
