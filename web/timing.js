/**
 * How long it takes from the click on "join voice" to the first sound, as marks and a measure on the
 * browser's own timeline: `performance.getEntriesByName('voice:click-to-sound')`.
 */

const CLICK = 'voice:click';
const OFFER = 'voice:offer';
const ANSWER = 'voice:answer';
const CONNECTED = 'voice:connected';
const SOUND = 'voice:sound';
const MEASURE = 'voice:click-to-sound';

const PERIOD_MS = 5;
const GIVE_UP_MS = 10_000;
/** -60 dBFS: well above the silence that fills a stream before its first packet. */
const AUDIBLE = 0.001;

export function clicked() {
  for (const name of [CLICK, OFFER, ANSWER, CONNECTED, SOUND]) performance.clearMarks(name);
  performance.clearMeasures(MEASURE);
  performance.mark(CLICK);
}

export const offered = () => performance.mark(OFFER);
export const answered = () => performance.mark(ANSWER);
export const connected = () => performance.mark(CONNECTED);

/**
 * Watch a slot that has just begun to receive, until it is heard; for the first sound after a click only.
 * @param {AudioContext} context @param {MediaStreamTrack} track
 */
export function watchForSound(context, track) {
  if (heard()) return;
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const until = performance.now() + GIVE_UP_MS;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const audible = samples.some((sample) => Math.abs(sample) > AUDIBLE);
    if (audible && !heard()) {
      performance.mark(SOUND);
      performance.measure(MEASURE, CLICK, SOUND);
    }
    if (!audible && performance.now() < until) return;
    clearInterval(timer);
    source.disconnect();
  }, PERIOD_MS);
}

const heard = () => performance.getEntriesByName(MEASURE).length > 0;
