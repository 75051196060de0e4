/** Two quiet tones: down when the connection is lost, up when it is back. */
import { preferences } from './preferences.js';

const LOUDNESS = 0.05;
const TONE_S = 0.16;
const LOST_HZ = [392, 294];
const BACK_HZ = [294, 392];

/** @param {AudioContext} context */
export const lostCue = (context) => sound(context, LOST_HZ);
/** @param {AudioContext} context */
export const backCue = (context) => sound(context, BACK_HZ);

function sound(context, frequencies) {
  if (!preferences.value.cues) return;
  frequencies.forEach((frequency, index) => {
    const from = context.currentTime + index * TONE_S;
    const loudness = new GainNode(context, { gain: 0 });
    loudness.gain.setTargetAtTime(LOUDNESS, from, 0.015);
    loudness.gain.setTargetAtTime(0, from + TONE_S * 0.6, 0.04);
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(loudness).connect(context.destination);
    tone.start(from);
    tone.stop(from + 2 * TONE_S);
  });
}
