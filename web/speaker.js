/** Playing the slots: one audio element each, so that each person can have a volume of their own. */
import { devices } from './devices.js';
import { preferences, volumeOf } from './preferences.js';
import * as state from './state.js';
import { effect } from './vendor/signals-core.js';

export class Speaker {
  #box = document.createElement('div');
  /** @type {HTMLAudioElement[]} */
  #elements = [];
  #stopTuning = effect(() => this.#tune());

  constructor() {
    this.#box.hidden = true;
    document.body.append(this.#box);
  }

  /** @param {string} mid @param {MediaStreamTrack} track */
  add(mid, track) {
    const element = new Audio();
    element.dataset.mid = mid;
    element.srcObject = new MediaStream([track]);
    this.#box.append(element);
    this.#elements.push(element);
    this.#tune();
    this.#play(element);
  }

  /** After a click: now the browser lets us. */
  unblock() {
    state.soundBlockedIs(false);
    for (const element of this.#elements) this.#play(element);
  }

  clear() {
    for (const element of this.#elements) element.srcObject = null;
    this.#elements = [];
    this.#box.replaceChildren();
  }

  remove() {
    this.#stopTuning();
    this.clear();
    this.#box.remove();
  }

  /** Whose voice it is decides how loud; what has been pulled out is not played to. */
  #tune() {
    const slots = state.slots.value;
    const silent = state.deafened.value;
    const { output } = preferences.value;
    const sink = devices.value.outputs.some(({ id }) => id === output) ? output : '';
    for (const element of this.#elements) {
      element.muted = silent;
      element.volume = volumeOf(slots.get(element.dataset.mid));
      // Not every browser lets a page choose. The default is taken where the choice is refused.
      if (element.sinkId !== undefined && element.sinkId !== sink) element.setSinkId(sink).catch(() => {});
    }
  }

  /** @param {HTMLAudioElement} element */
  #play(element) {
    element.play().catch((error) => {
      if (error.name === 'NotAllowedError') state.soundBlockedIs(true);
    });
  }
}
