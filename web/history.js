/**
 * What has been said in the room: the newest page on coming in, what was missed during a long absence, older
 * pages as one scrolls up. What cannot be had now is asked for again for as long as there is a connection.
 */
import * as api from './api.js';
import * as state from './state.js';
import { batch } from './vendor/signals-core.js';

/** After a long absence this many pages are fetched at most before the chat starts afresh. */
const CATCH_UP_PAGES = 10;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

export class History {
  #roomId;
  /** The seq after which messages are missing: 0 when none are here yet, null when none are missing. @type {number | null} */
  #missingAfter = 0;
  /** Changes with each attempt, so that the answer to an earlier one is known as such. */
  #attempt = 0;
  #failures = 0;
  #timer = 0;

  /** @param {string} roomId */
  constructor(roomId) {
    this.#roomId = roomId;
  }

  /** There is a connection (again). */
  connected() {
    this.#failures = 0;
    if (this.#missingAfter !== null) this.#catchUp();
  }

  /** There is none now; what is under way may lack what is said meanwhile. */
  disconnected() {
    this.#attempt += 1;
    clearTimeout(this.#timer);
  }

  /** The connection is back, what was said in between is not. */
  missed() {
    this.#missingAfter ??= state.messages.value.at(-1)?.seq ?? 0;
    this.#catchUp();
  }

  async loadOlder() {
    const { cursor, loading } = state.older.value;
    if (!cursor || loading) return;
    state.olderIs(cursor, true);
    try {
      const { items, next_cursor: next } = await api.chat(this.#roomId, cursor);
      if (state.older.value.cursor === cursor) this.#keep(items, next); // else one has left, or begun afresh
    } catch {
      if (state.older.value.cursor === cursor) state.olderIs(cursor, false);
    }
  }

  async #catchUp() {
    clearTimeout(this.#timer);
    const attempt = ++this.#attempt;
    const after = this.#missingAfter;
    try {
      const { items, next, reached } = await this.#fetchBack(after);
      if (attempt !== this.#attempt) return;
      this.#missingAfter = null;
      batch(() => {
        if (!reached) state.forgetMessages(after);
        this.#keep(items, after && reached ? state.older.value.cursor : next);
        state.historyIs('known');
      });
    } catch {
      if (attempt !== this.#attempt) return;
      if (state.history.value === 'loading') state.historyIs('failed');
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
      this.#timer = setTimeout(() => this.#catchUp(), wait * (0.5 + Math.random() / 2));
    }
  }

  /** The newest page and those before it, down to `after`; of nothing known, the newest page alone. */
  async #fetchBack(after) {
    const items = [];
    let next = '';
    for (let pages = 0; pages < CATCH_UP_PAGES; pages += 1) {
      const page = await api.chat(this.#roomId, next);
      items.push(...page.items);
      next = page.next_cursor;
      if (!after || !next || items.at(-1).seq <= after) return { items, next, reached: true };
    }
    return { items, next, reached: false };
  }

  #keep(items, cursor) {
    state.messagesCame(items.map(messageOf));
    state.olderIs(cursor ?? '', false);
  }
}

function messageOf({ id, seq, user_id: userId, display_name: name, text, created_at: at, edited_at: editedAt, deleted }) {
  return { id, seq, userId, name, text, at: Date.parse(at), editedAt: editedAt ? Date.parse(editedAt) : 0, deleted };
}
