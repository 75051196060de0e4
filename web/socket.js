/**
 * The websocket of a room. It comes back by itself, as the close codes of the protocol say, and renews its
 * token in band. The token travels in the first frame, never in the address.
 */
import { getConfig } from './api.js';
import { backOff } from './backoff.js';
import * as tokens from './tokens.js';

/** @typedef {{type: string, payload: any, id?: string, seq?: number}} Frame */
/** @typedef {'connecting' | 'open' | 'waiting' | 'closed'} Status */

const CLOSE = { badRequest: 4000, unauthenticated: 4001, forbidden: 4003, gone: 4004 };
const FINAL = new Set(Object.values(CLOSE));
const AT_ONCE = new Set([4200, 4201, 4202]);
const TOKEN_EXPIRED = 4201;

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const HELLO_MS = 10_000;
/** What is silent for so long is asked whether it lives: who talks is told each 5 s how it goes, who writes is acked. */
const SILENCE_MS = { talking: 8_000, written: 5_000 };
const PONG_MS = 6_000;
/** A connection that lived this long was a good one: the next wait starts small again. */
const SETTLED_MS = 5_000;

export class Socket {
  /** @type {WebSocket | null} */
  #ws = null;
  #roomId;
  #on;
  #timer = 0;
  #watchdog = 0;
  #attempts = 0;
  #openedAt = 0;
  #silenceMs = HELLO_MS;
  /** When the watchdog asks; 0 once it has. */
  #asksAt = 0;
  /** When one was told last how one's voice does. */
  #toldAt = 0;
  #heardAt = 0;
  #ended = false;
  #stopTokens;
  /** @type {{epoch: string, last_seq: number} | null} where to resume */
  #position = null;
  /** @type {{epoch: string, last_seq: number} | null} where the log stood when the server said hello */
  #head = null;

  /**
   * @param {string} roomId
   * @param {{frame: (frame: Frame) => void, status: (status: Status, code?: number, reason?: string) => void}} on
   */
  constructor(roomId, on) {
    this.#roomId = roomId;
    this.#on = on;
    this.#stopTokens = tokens.onChange((session) => {
      if (session) this.#authenticate(session.accessToken);
    });
    for (const name of ['online', 'offline']) addEventListener(name, this.#woke);
    document.addEventListener('visibilitychange', this.#woke);
    this.#connect();
  }

  /** @returns {boolean} whether the frame was handed to an open connection */
  send(type, payload, id) {
    if (this.#ws?.readyState !== WebSocket.OPEN || !this.#openedAt) return false;
    this.#ws.send(JSON.stringify(id ? { type, id, payload } : { type, payload }));
    if (payload.client_msg_id && Date.now() + SILENCE_MS.written < this.#asksAt) this.#watch(SILENCE_MS.written);
    return true;
  }

  close() {
    this.#end();
    this.#on.status('closed');
  }

  async #connect() {
    if (this.#ended) return;
    this.#on.status('connecting');
    try {
      const [{ ws_url: base }, token] = await Promise.all([getConfig(), tokens.fresh()]);
      if (!this.#ended) this.#open(`${base}/ws/rooms/${encodeURIComponent(this.#roomId)}`, token);
    } catch (error) {
      if (error instanceof tokens.SignedOut) this.#closed(CLOSE.unauthenticated);
      else this.#closed(0);
    }
  }

  #open(url, token) {
    const ws = new WebSocket(url);
    this.#ws = ws;
    this.#silenceMs = HELLO_MS;
    this.#watch();
    // The replay is asked for here, so that it comes before anything live.
    ws.onopen = () => this.#authenticate(token, this.#position ? { resume: this.#position } : {});
    ws.onmessage = ({ data }) => this.#received(JSON.parse(data));
    ws.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  #authenticate(token, more = {}) {
    if (this.#ws?.readyState !== WebSocket.OPEN) return;
    this.#ws.send(JSON.stringify({ type: 'auth', payload: { access_token: token, ...more } }));
  }

  /** @param {Frame} frame */
  #received(frame) {
    this.#heardAt = Date.now();
    if (frame.type === 'quality') this.#toldAt = this.#heardAt;
    this.#watch(this.#heardAt - this.#toldAt < SILENCE_MS.talking ? SILENCE_MS.talking : this.#silenceMs);
    if (frame.type === 'hello') this.#greeted(frame.payload);
    if (frame.type === 'resumed' && !frame.payload.recovered) this.#position = this.#head;
    if (frame.seq && this.#position) this.#position.last_seq = frame.seq;
    this.#on.frame(frame);
  }

  #greeted({ epoch, last_seq: lastSeq, heartbeat_ms: heartbeat }) {
    this.#openedAt = Date.now();
    this.#silenceMs = 2 * heartbeat + 5_000;
    this.#watch();
    this.#head = { epoch, last_seq: lastSeq };
    this.#position ??= this.#head; // else not before the server has said what became of it
    this.#on.status('open');
  }

  /** A page sees no websocket pings, so it asks when it has heard nothing, and gives up on no answer. */
  #watch(ms = this.#silenceMs) {
    clearTimeout(this.#watchdog);
    this.#asksAt = Date.now() + ms;
    this.#watchdog = setTimeout(() => this.#ask(), ms);
  }

  /** Not where the timers have slept meanwhile, with the machine: nobody is there any more. */
  #ask() {
    this.#asksAt = 0;
    const slept = Date.now() - this.#heardAt > this.#silenceMs + PONG_MS;
    if (slept || !this.send('ping', { last_seq: this.#position?.last_seq ?? 0 })) return this.#closed(0);
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#closed(0), PONG_MS);
  }

  /** The network is gone or back, or somebody looks at the page again: a phone's connection often dies without a word. */
  #woke = () => {
    if (this.#ended || document.hidden) return;
    if (this.#openedAt) return this.#ask();
    if (this.#ws) return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  /** @param {number} code the close code; 0 when there never was a connection, or it fell silent @param {string} [reason] */
  #closed(code, reason) {
    if (this.#ended) return;
    const settled = this.#openedAt && Date.now() - this.#openedAt > SETTLED_MS;
    this.#drop();
    if (FINAL.has(code)) {
      this.#end();
      return this.#on.status('closed', code, reason);
    }
    if (settled) this.#attempts = 0;
    const wait = AT_ONCE.has(code) && settled ? 0 : backOff(this.#attempts++, FIRST_WAIT_MS, LONGEST_WAIT_MS);
    this.#on.status('waiting', code);
    this.#timer = setTimeout(() => this.#again(code), wait);
  }

  async #again(code) {
    const session = tokens.current();
    if (code === TOKEN_EXPIRED && session) await tokens.renew(session.accessToken).catch(() => {});
    await this.#connect();
  }

  #drop() {
    clearTimeout(this.#watchdog);
    clearTimeout(this.#timer);
    const ws = this.#ws;
    this.#ws = null;
    this.#openedAt = 0;
    if (!ws) return;
    ws.onopen = ws.onmessage = ws.onclose = null;
    ws.close();
  }

  #end() {
    this.#ended = true;
    this.#drop();
    this.#stopTokens();
    for (const name of ['online', 'offline']) removeEventListener(name, this.#woke);
    document.removeEventListener('visibilitychange', this.#woke);
  }
}
