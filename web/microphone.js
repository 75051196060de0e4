/** The microphone: asking for it, saying why there is none, and hearing whether one speaks into it. */

/** @typedef {import('./state.js').Microphone} Microphone */

const CONSTRAINTS = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const REASONS = {
  NotAllowedError: 'refused',
  SecurityError: 'refused',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
};

/** @returns {Promise<{track: MediaStreamTrack | null, status: Microphone}>} */
export async function openMicrophone() {
  if (!navigator.mediaDevices) return { track: null, status: isSecureContext ? 'missing' : 'insecure' };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: CONSTRAINTS });
    return { track: stream.getAudioTracks()[0], status: 'ok' };
  } catch (error) {
    return { track: null, status: REASONS[error.name] ?? 'busy' };
  }
}

/** Whether the microphone can be had without asking the user. */
export async function microphoneGranted() {
  try {
    return (await navigator.permissions.query({ name: 'microphone' })).state === 'granted';
  } catch {
    return false;
  }
}

const PERIOD_MS = 100;
const HOLD_MS = 400;
/** Root mean square of a quiet voice into a usual microphone; a room's noise stays below it. */
const THRESHOLD = 0.015;

/**
 * Tell whether somebody speaks into `track`, whenever that changes.
 * @param {AudioContext} context @param {MediaStreamTrack} track @param {(speaking: boolean) => void} changed
 * @returns {() => void} stops it
 */
export function watchSpeech(context, track, changed) {
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let lastLoud = -Infinity;
  let speaking = false;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const now = performance.now();
    if (rootMeanSquare(samples) > THRESHOLD) lastLoud = now;
    if (speaking !== now - lastLoud < HOLD_MS) changed((speaking = !speaking));
  }, PERIOD_MS);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}

function rootMeanSquare(samples) {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}
