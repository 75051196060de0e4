/**
 * The room's study timer on this page: the same second for all, whatever this machine's clock says; and the quiet
 * while one focuses: microphones go off with the beginning of it, and who wants to speak turns theirs on.
 */
import { announce } from './announcer.js';
import { cue } from './cues.js';
import * as state from './state.js';
import { phaseAt } from './study.js';
import { t } from './text.js';
import { batch, computed, effect, signal, untracked } from './vendor/signals-core.js';

const QUIET = 'cwrk.quiet';

export const timer = signal(/** @type {import('./study.js').Timer | null} */ (null));
/** Whether one's microphone goes off while the room focuses. */
export const quiet = signal(localStorage.getItem(QUIET) !== 'no');
/** The server's clock less this one's. */
const aheadMs = signal(0);
const now = signal(Date.now());

export const phase = computed(() => phaseAt(timer.value, now.value + aheadMs.value));
/** "focus", "break", or "" where nothing runs: it changes only with the phase, and not every second. */
export const running = computed(() => (timer.value?.state === 'running' && phase.value?.name) || '');

export function timerIs(said) {
  batch(() => {
    now.value = Date.now();
    timer.value = said;
  });
}

export const serverTimeIs = (ms) => (aheadMs.value = ms - Date.now());

export function quietIs(wanted) {
  quiet.value = wanted;
  localStorage.setItem(QUIET, wanted ? 'yes' : 'no');
}

/** @param {(muted: boolean) => void} mute @returns {() => void} ends it */
export function study(mute) {
  timerIs(null);
  const ticking = effect(() => {
    if (timer.value?.state !== 'running') return undefined;
    const clock = setTimeout(() => (now.value = Date.now()), untilNextSecond());
    now.value; // and again after this one
    return () => clearTimeout(clock);
  });
  /** What ran when one last looked; null: nobody has said yet. */
  let before = /** @type {string | null} */ (null);
  let hushed = false;
  const begins = (name) => {
    announce(t(name === 'focus' ? 'focusBegins' : 'breakBegins'));
    cue(name);
    if (name === 'break' && hushed && state.muted.value) state.tell(t('stillOff'));
    if (name === 'break') hushed = false;
  };
  const telling = effect(() => {
    const name = timer.value && running.value;
    if (before !== null && name && name !== before) untracked(() => begins(name));
    before = name;
  });
  const hushing = effect(() => {
    if (running.value !== 'focus' || !quiet.value || !talks.value) return;
    untracked(() => {
      if (state.muted.value) return;
      hushed = true;
      mute(true);
      state.tell(t('hushed'));
    });
  });
  return () => {
    ticking();
    telling();
    hushing();
    timerIs(null);
  };
}

const talks = computed(() => state.voice.value === 'on' || state.voice.value === 'connecting');

/** Until what is left is another number on the clock. */
function untilNextSecond() {
  const { remainingMs } = untracked(() => phaseAt(timer.value, Date.now() + aheadMs.value));
  return remainingMs % 1000 || 1000;
}
