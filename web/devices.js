/** What one can speak into and hear with, and what is plugged in or pulled out meanwhile. */
import { signal } from './vendor/signals-core.js';

/** @typedef {{id: string, name: string}} Device */
/** @typedef {{microphones: Device[], outputs: Device[]}} Devices */

/** Names are known only once the microphone was allowed. */
export const devices = signal(/** @type {Devices} */ ({ microphones: [], outputs: [] }));

/** Names of roles, not of things: they stay where the thing behind them changes. */
const ROLES = new Set(['default', 'communications', '']);

/** Look once more: after the microphone was allowed there is more to see. @returns {Promise<Devices>} how it was before */
export async function lookAtDevices() {
  const before = devices.value;
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const ofKind = (kind) =>
    all.filter((device) => device.kind === kind && !ROLES.has(device.deviceId)).map(({ deviceId: id, label: name }) => ({ id, name }));
  devices.value = { microphones: ofKind('audioinput'), outputs: ofKind('audiooutput') };
  return before;
}

/**
 * @param {{microphoneCame: () => void, outputGone: (name: string) => void}} on
 * @returns {() => void} stops it
 */
export function watchDevices(on) {
  const changed = async () => {
    const before = await lookAtDevices();
    const { microphones, outputs } = devices.value;
    if (missing(microphones, before.microphones)) on.microphoneCame();
    const gone = missing(before.outputs, outputs);
    if (gone) on.outputGone(gone.name);
  };
  navigator.mediaDevices?.addEventListener('devicechange', changed);
  lookAtDevices();
  return () => navigator.mediaDevices?.removeEventListener('devicechange', changed);
}

/** The first of `these` that is not among `those`. @param {Device[]} these @param {Device[]} those */
const missing = (these, those) => these.find(({ id }) => !those.some((other) => other.id === id));
