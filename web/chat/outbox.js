/**
 * Chat messages on their way: kept until the server says they are saved, sent again after a reconnect, and after
 * the page was loaded anew in this tab.
 * One is under way at a time, so they are saved in the order they were written whatever happens to the
 * first; the same client_msg_id makes a repeat harmless.
 *
 * @typedef {{id: string, text: string, replyTo: string, at: number, refusal: Refusal | null}} Pending
 * @typedef {{code: string, message: string}} Refusal
 */

const RETRY_MS = 1_000;

export class Outbox {
  /** @type {Map<string, Pending>} in the order they were written */
  #pending;
  #key;
  #underWay = '';
  #send;
  #changed;

  /**
   * @param {string} owner whose messages these are, and of which room
   * @param {(pending: Pending) => void} send may do nothing: `resend` follows when there is a connection
   * @param {(pending: Pending[]) => void} changed
   */
  constructor(owner, send, changed) {
    this.#key = `cwrk.unsent.${owner}`;
    this.#send = send;
    this.#changed = changed;
    this.#pending = new Map(JSON.parse(sessionStorage.getItem(this.#key) ?? '[]'));
    this.#told();
  }

  /** @param {string} text @param {string} replyTo the message that it answers, or "" */
  add(text, replyTo) {
    const id = newId();
    this.#put({ id, text, replyTo, at: Date.now(), refusal: null });
    this.#next();
  }

  /** The connection is back. */
  resend() {
    this.#underWay = '';
    this.#next();
  }

  /** The server has it, or the user gave it up. @param {string} id */
  settled(id) {
    if (this.#pending.delete(id)) this.#told();
    this.#over(id);
  }

  /** The server refused it. @returns {boolean} whether the refusal was about a message of ours */
  refused(id, { code, message, retryable, retry_after_ms: after }) {
    const pending = this.#pending.get(id);
    if (!pending) return false;
    if (retryable) {
      setTimeout(() => this.#over(id), after ?? RETRY_MS);
    } else {
      this.#put({ ...pending, refusal: { code, message } });
      this.#over(id);
    }
    return true;
  }

  /** @param {string} id */
  retry(id) {
    this.#put({ ...this.#pending.get(id), refusal: null });
    this.#next();
  }

  #over(id) {
    if (this.#underWay !== id) return;
    this.#underWay = '';
    this.#next();
  }

  #next() {
    if (this.#underWay) return;
    const next = [...this.#pending.values()].find(({ refusal }) => !refusal);
    if (!next) return;
    this.#underWay = next.id;
    this.#send(next);
  }

  #put(pending) {
    this.#pending.set(pending.id, pending);
    this.#told();
  }

  #told() {
    if (this.#pending.size) sessionStorage.setItem(this.#key, JSON.stringify([...this.#pending]));
    else sessionStorage.removeItem(this.#key);
    this.#changed([...this.#pending.values()]);
  }
}

/** 128 random bits; crypto.randomUUID is missing on an insecure origin. */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
