/** Quiet tones, two each: of the connection, and of the study timer. */
import { preferences } from './preferences.js';

const LOUDNESS = 0.05;
const TONE_S = 0.16;
/** What comes later is about something past. */
const LATE_MS = 500;
/** Frequencies, hertz: what ends goes down, what begins goes up. */
const CUES = { lost: [392, 294], back: [294, 392], focus: [440, 660], break: [660, 440] };

/** @type {AudioContext | undefined} */
let context;
/** Tones that sound, or will. */
let sounding = 0;

/** Silent until somebody has clicked on the page, as browsers have it. @param {keyof typeof CUES} name */
export async function cue(name) {
  if (!preferences.value.cues) return;
  context ??= new AudioContext();
  const asked = performance.now();
  await context.resume();
  if (performance.now() - asked > LATE_MS) return;
  CUES[name].forEach((frequency, index) => {
    const from = context.currentTime + index * TONE_S;
    const loudness = new GainNode(context, { gain: 0 });
    loudness.gain.setTargetAtTime(LOUDNESS, from, 0.015);
    loudness.gain.setTargetAtTime(0, from + TONE_S * 0.6, 0.04);
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(loudness).connect(context.destination);
    tone.start(from);
    tone.stop(from + 2 * TONE_S);
    sounding += 1;
    // In silence it would go on working.
    tone.onended = () => (sounding -= 1) || context.suspend();
  });
}
