/** The microphone: asking for it, saying why there is none, and how loud it is. */
import { preferences } from './preferences.js';

/** @typedef {import('./state.js').Microphone} Microphone */

const REASONS = {
  NotAllowedError: 'refused',
  SecurityError: 'refused',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
};

/** The one that is preferred, set as preferred; or what comes nearest to it.
 * @returns {Promise<{track: MediaStreamTrack | null, status: Microphone}>} */
export async function openMicrophone() {
  if (!navigator.mediaDevices) return { track: null, status: isSecureContext ? 'missing' : 'insecure' };
  let refusal;
  for (const audio of attempts()) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio });
      return { track: stream.getAudioTracks()[0], status: 'ok' };
    } catch (error) {
      refusal = error.name;
      if (refusal !== 'OverconstrainedError') break;
    }
  }
  return { track: null, status: REASONS[refusal] ?? 'busy' };
}

/**
 * To Chromium a mere wish counts for less than a microphone that is open already. So it is told what is to be
 * (`exact`), and asked for less where there is no such thing: unplugged, or never able to.
 */
function attempts() {
  const { microphone, echo: echoCancellation, noise: noiseSuppression, gain: autoGainControl } = preferences.value;
  const wishes = { echoCancellation, noiseSuppression, autoGainControl, channelCount: 1 };
  const exactly = Object.fromEntries(Object.entries(wishes).map(([name, value]) => [name, { exact: value }]));
  const device = microphone ? { deviceId: { exact: microphone } } : {};
  return [{ ...exactly, channelCount: 1, ...device }, { ...wishes, ...device }, wishes];
}

/** Whether the microphone can be had without asking the user. */
export async function microphoneGranted() {
  try {
    return (await navigator.permissions.query({ name: 'microphone' })).state === 'granted';
  } catch {
    return false;
  }
}

/** Tells when the user has changed their mind and lets the page have it. @param {() => void} told @returns {() => void} ends it */
export function whenGranted(told) {
  /** @type {PermissionStatus | undefined} */
  let permission;
  let ended = false;
  const changed = () => !ended && permission.state === 'granted' && told();
  navigator.permissions?.query({ name: 'microphone' }).then(
    (found) => (permission = found).addEventListener('change', changed),
    () => {}, // a browser that does not say
  );
  return () => {
    ended = true;
    permission?.removeEventListener('change', changed);
  };
}

const PERIOD_MS = 100;
const HOLD_MS = 400;
/** Root mean square of a quiet voice into a usual microphone; a room's noise stays below it. */
const THRESHOLD = 0.015;
/** What a meter shows: nothing at -60 dBFS, all of it at 0. */
const QUIETEST_DB = -60;
/** A meter that moves by less than this stands still; it falls a step at a time, as meters do. */
const STEPS = 24;

/**
 * Tell how loud `track` is (0 to 1, as ears count), and whether somebody speaks into it, whenever that changes.
 * @param {AudioContext} context @param {MediaStreamTrack} track
 * @param {(level: number, speaking: boolean) => void} changed
 * @returns {() => void} stops it
 */
export function watchLevel(context, track, changed) {
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let lastLoud = -Infinity;
  let step = 0;
  let before = '';
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const now = performance.now();
    const loudness = rootMeanSquare(samples);
    if (loudness > THRESHOLD) lastLoud = now;
    const heard = Math.max(0, 1 - (20 * Math.log10(loudness + 1e-9)) / QUIETEST_DB);
    step = Math.max(Math.round(STEPS * Math.min(1, heard)), step - 2, 0);
    const speaking = now - lastLoud < HOLD_MS;
    const heardNow = `${step} ${speaking}`;
    if (heardNow !== before) changed(step / STEPS, speaking);
    before = heardNow;
  }, PERIOD_MS);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}

function rootMeanSquare(samples) {
  let sum = 0;
  for (let at = 0; at < samples.length; at += 1) sum += samples[at] * samples[at];
  return Math.sqrt(sum / samples.length);
}
