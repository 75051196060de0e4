/**
 * What has been said in the room: the newest page on coming in, older pages as one scrolls up. What cannot be
 * had now is asked for again for as long as there is a connection.
 *
 * The newest page is there to be read before there is a connection. What is said between the two would be missed,
 * so it is asked for once more then, unless the log ends with the last message that is here.
 */
import * as api from '../api.js';
import { backOff } from '../backoff.js';
import { batch } from '../vendor/signals-core.js';
import { messageOfItem } from './message.js';
import * as state from './state.js';

/** Little to begin with, so that it is there and drawn soon, and enough to scroll a little. */
const FIRST_PAGE = 30;
const PAGE = 100;
/** Of what is said while one is here no more is kept, once it has been read; and so much later it is looked at again. */
const MOST_KEPT = 1_000;
const MORE = 250;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

export class History {
  #roomId;
  /** Whether the newest page is not here yet, or from before the connection. What is said with one comes by itself. */
  #missing = true;
  #connected = false;
  /** Where the log ended when there was a connection. */
  #head = 0;
  #loading = false;
  /** Changes with each attempt, so that the answer to an earlier one is known as such. */
  #attempt = 0;
  #failures = 0;
  #timer = 0;
  #tidyAt = MOST_KEPT;
  /** @type {Promise<void> | null} */
  #flight = null;

  /** @param {string} roomId */
  constructor(roomId) {
    this.#roomId = roomId;
  }

  /** One may read, and is not connected yet. */
  begin() {
    this.#load();
  }

  /** There is a connection (again). @param {number} head where the log ended then */
  connected(head) {
    this.#connected = true;
    this.#head = head;
    this.#failures = 0;
    if (this.#missing && !this.#loading) this.#missed();
  }

  /** There is none now; what is under way may lack what is said meanwhile. */
  disconnected() {
    this.#connected = this.#loading = false;
    this.#attempt += 1;
    clearTimeout(this.#timer);
  }

  /**
   * The connection is back, what became of the room in between is not: also messages that are here may have
   * been changed, or be no more. So they go, and the newest page comes as for somebody new.
   */
  missed() {
    state.forgetMessages();
    this.#missing = true;
    this.#load();
  }

  /** Another page of older ones. @returns when it is here, or cannot be had */
  loadOlder() {
    this.#flight ??= this.#loadOlder().finally(() => (this.#flight = null));
    return this.#flight;
  }

  /** A long stay fills no memory: what is far above what one reads goes, and comes again as one scrolls up. */
  tidy() {
    const count = state.messages.value.length;
    if (count < this.#tidyAt) this.#tidyAt = Math.max(MOST_KEPT, Math.min(this.#tidyAt, count + MORE));
    else if (!this.#flight && !this.#missing) {
      this.#tidyAt = count + MORE;
      this.#flight = this.#forgetOlder().finally(() => (this.#flight = null));
    }
  }

  /** The newest page has a cursor to what is older than it: what is kept begins there. */
  async #forgetOlder() {
    const attempt = this.#attempt;
    try {
      const { items, next_cursor: next } = await api.chat(this.#roomId, '', PAGE);
      if (attempt !== this.#attempt || !state.looking.value || !items.length) return;
      batch(() => {
        state.keepFrom(items.at(-1).seq);
        this.#keep(items, next);
      });
    } catch {
      // They stay for now.
    }
  }

  async #loadOlder() {
    const { cursor } = state.older.value;
    if (!cursor) return;
    state.olderIs(cursor, true);
    try {
      const { items, next_cursor: next } = await api.chat(this.#roomId, cursor, PAGE);
      if (state.older.value.cursor === cursor) this.#keep(items, next); // else one has left, or begun afresh
    } catch {
      if (state.older.value.cursor === cursor) state.olderIs(cursor, false);
    }
  }

  async #load() {
    clearTimeout(this.#timer);
    const attempt = ++this.#attempt;
    const connected = this.#connected;
    this.#loading = true;
    try {
      const { items, next_cursor: next } = await api.chat(this.#roomId, '', FIRST_PAGE);
      if (attempt !== this.#attempt) return;
      this.#loading = false;
      this.#missing = !connected;
      batch(() => {
        state.newestAre(items.map(messageOfItem));
        state.olderIs(next ?? '', false);
        state.historyIs('known');
      });
      if (this.#missing && this.#connected) this.#missed();
    } catch {
      if (attempt !== this.#attempt) return;
      this.#loading = false;
      if (!this.#connected) return; // it is asked for again with the connection
      if (state.history.value === 'loading') state.historyIs('failed');
      this.#timer = setTimeout(() => this.#load(), backOff(this.#failures++, FIRST_WAIT_MS, LONGEST_WAIT_MS));
    }
  }

  /** What has happened before there was a connection, if anything has. */
  #missed() {
    const complete = state.history.value === 'known' && state.messages.value.at(-1)?.seq === this.#head;
    if (complete) this.#missing = false;
    else this.#load();
  }

  #keep(items, cursor) {
    state.messagesCame(items.map(messageOfItem));
    state.olderIs(cursor ?? '', false);
  }
}
