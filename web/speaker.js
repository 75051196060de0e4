/** Playing the slots: one audio element each, so that each person can have a volume of their own. */
import * as state from './state.js';

export class Speaker {
  #box = document.createElement('div');
  /** @type {HTMLAudioElement[]} */
  #elements = [];

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
    this.clear();
    this.#box.remove();
  }

  /** @param {HTMLAudioElement} element */
  #play(element) {
    element.play().catch((error) => {
      if (error.name === 'NotAllowedError') state.soundBlockedIs(true);
    });
  }
}
