/**
 * Chat messages on their way: kept until the server says they are saved, sent again after a reconnect.
 * The same client_msg_id makes the repeat harmless.
 *
 * @typedef {{id: string, text: string, at: number, failed: boolean}} Pending
 */

const RETRY_MS = 1_000;

export class Outbox {
  /** @type {Map<string, Pending>} in the order they were written */
  #pending = new Map();
  #send;
  #changed;

  /**
   * @param {(pending: Pending) => void} send
   * @param {(pending: Pending[]) => void} changed
   */
  constructor(send, changed) {
    this.#send = send;
    this.#changed = changed;
  }

  /** @param {string} text */
  add(text) {
    const pending = { id: newId(), text, at: Date.now(), failed: false };
    this.#put(pending);
    this.#send(pending);
  }

  /** The connection is back. */
  resend() {
    for (const pending of this.#pending.values()) if (!pending.failed) this.#send(pending);
  }

  /** The server has it. @param {string} id */
  settled(id) {
    if (this.#pending.delete(id)) this.#tell();
  }

  /** The server refused it. @returns {boolean} whether the refusal was about a message of ours */
  refused(id, { retryable, retry_after_ms: after }) {
    const pending = this.#pending.get(id);
    if (!pending) return false;
    if (retryable) setTimeout(() => this.#pending.has(id) && this.#send(pending), after ?? RETRY_MS);
    else this.#put({ ...pending, failed: true });
    return true;
  }

  /** @param {string} id */
  retry(id) {
    const pending = { ...this.#pending.get(id), failed: false };
    this.#put(pending);
    this.#send(pending);
  }

  /** @param {string} id */
  discard(id) {
    this.settled(id);
  }

  #put(pending) {
    this.#pending.set(pending.id, pending);
    this.#tell();
  }

  #tell() {
    this.#changed([...this.#pending.values()]);
  }
}

/** 128 random bits; crypto.randomUUID is missing on an insecure origin. */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
