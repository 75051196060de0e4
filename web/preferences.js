/**
 * How one likes to talk and to hear, kept in this browser. Components read the signal; only `prefer` and
 * `volumeIs` change it.
 */
import { signal } from './vendor/signals-core.js';

const KEY = 'cwrk.preferences';
/** The volumes of that many people are kept, those set last. */
const MOST_VOLUMES = 200;

const DEFAULTS = {
  /** Voice as soon as one comes into a room. */
  joinAtOnce: false,
  /** Ids of devices; empty: what the browser takes by itself. */
  microphone: '',
  output: '',
  echo: true,
  noise: true,
  gain: true,
  pushToTalk: false,
  /** A `KeyboardEvent.code`. */
  talkKey: 'Space',
  /** A quiet tone when the connection is lost, and when it is back. */
  cues: true,
  /** User id → 0 to 1. @type {Record<string, number>} */
  volumes: {},
};

export const preferences = signal({ ...DEFAULTS, ...kept() });

/** @param {Partial<typeof DEFAULTS>} change */
export function prefer(change) {
  preferences.value = { ...preferences.value, ...change };
  localStorage.setItem(KEY, JSON.stringify(preferences.value));
}

/** @param {string | null | undefined} id */
export const volumeOf = (id) => preferences.value.volumes[id] ?? 1;

/** @param {string} id @param {number} volume */
export function volumeIs(id, volume) {
  const others = Object.entries(preferences.value.volumes).filter(([each]) => each !== id);
  const all = volume === 1 ? others : [...others, [id, volume]];
  prefer({ volumes: Object.fromEntries(all.slice(-MOST_VOLUMES)) });
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}');
  } catch {
    return {};
  }
}
