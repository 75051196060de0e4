/**
 * The chat of a visit to a room: what is said and what becomes of it, who writes, and how far one has read.
 */
import { announce } from '../announcer.js';
import * as page from '../state.js';
import { errorText, t } from '../text.js';
import { together } from '../together.js';
import { batch, effect, untracked } from '../vendor/signals-core.js';
import { History } from './history.js';
import { messageOfFrame } from './message.js';
import { Outbox } from './outbox.js';
import * as state from './state.js';

/** Who writes says so again this often, and is forgotten after the other. */
const TYPING_EVERY_MS = 3_000;
const TYPING_ENDS_MS = 5_000;
const ANSWER_MS = 10_000;
/** To draw the log costs a slow phone a few frames, one message or several. With every third move of the rings it needs none of its own. */
const SHOWN_EVERY_MS = 3 * page.RINGS_MS;
/** More of a message a screen reader does not read out by itself. */
const LONGEST_READ_OUT = 200;

export class Conversation {
  #send;
  #history;
  #outbox;
  /** What was asked and is not answered yet: the frame's id → what to do with the answer. */
  #asked = new Map();
  #questions = 0;
  #typedAt = 0;
  /** @type {Map<string, number>} whoever writes → the timer that ends it */
  #writers = new Map();
  #effects;
  #toldRead = 0;
  #closed = false;

  /**
   * @param {string} roomId
   * @param {(type: string, payload: object, id?: string) => boolean} send false: there is no connection now
   */
  constructor(roomId, send) {
    this.#send = send;
    this.#history = new History(roomId);
    state.leftRoom();
    this.#outbox = new Outbox(`${page.myId.value}.${roomId}`, ({ id, text, replyTo }) => {
      send('chat', { message: text, client_msg_id: id, ...(replyTo && { reply_to: replyTo }) }, id);
    }, state.pendingAre);
    this.#effects = [effect(() => this.#read()), effect(() => void page.unreadIs(state.unseen.value))];
  }

  /** A dict from a frame's type to what it does. */
  frames = {
    resumed: ({ recovered }) => !recovered && this.#startOver(),
    chat: (payload, { seq }) => this.#comes({ message: messageOfFrame(payload, seq), id: payload.client_msg_id }),
    chat_edited: ({ msg_id: id, message: text, ts_unix: at }) =>
      state.messageChanged(id, { text, editedAt: at * 1000, deleted: false }),
    chat_deleted: ({ msg_id: id }) => state.messageChanged(id, { text: '', editedAt: 0, deleted: true }),
    chat_reaction: ({ msg_id: id, user_id: userId, emoji, added }) => state.reactionChanged(id, { userId, emoji, added }),
    chat_ack: (payload) => this.#acked(payload),
    ack: (_, { id }) => this.#answered(id, null),
    typing: ({ user_id: id, display_name: name, typing }) => this.#writes(id, typing ? name : ''),
  };

  /** One has a seat, and is not connected yet: what has been said can be read. */
  begin() {
    this.#history.begin();
  }

  /** @param {number} head where the log ended when there was a connection */
  connected(head) {
    this.#history.connected(head);
    this.#outbox.resend();
  }

  disconnected() {
    this.#history.disconnected();
    for (const id of this.#asked.keys()) this.#answered(id, { code: 'UNREACHABLE' });
    for (const id of this.#writers.keys()) this.#writes(id, '');
  }

  close() {
    this.#closed = true;
    this.disconnected();
    state.leftRoom();
    for (const stop of this.#effects) stop();
  }

  /** How many messages of others were unread when one came in. */
  async unreadWere(count) {
    await known();
    if (this.#closed) return;
    while (!enough(count) && state.older.value.cursor) {
      const { cursor } = state.older.value;
      await this.#history.loadOlder();
      if (state.older.value.cursor === cursor) break;
    }
    const news = state.messages.value.filter(state.isNews).slice(-count || Infinity);
    batch(() => {
      state.unreadBegins(news[0]?.seq ?? 0);
      state.readIs(news.length ? news[0].seq - 1 : (state.messages.value.at(-1)?.seq ?? 0));
    });
  }

  /** @param {string} text */
  say(text) {
    batch(() => {
      this.#outbox.add(text, state.answering.value?.id ?? '');
      state.answer(null);
      state.unreadBegins(0);
    });
    this.#typedAt = 0;
  }

  retry(id) {
    this.#outbox.retry(id);
  }

  discard(id) {
    this.#outbox.settled(id);
  }

  /** @returns {Promise<string>} what was wrong, or "" */
  edit(id, text) {
    return this.#ask('chat_edit', { msg_id: id, message: text });
  }

  async delete(id) {
    this.#tell(await this.#ask('chat_delete', { msg_id: id }));
  }

  /** Puts one's emoji under a message, or takes it away. @param {import('./state.js').Message} message */
  async react({ id, reactions }, emoji) {
    const mine = reactions.find((each) => each.emoji === emoji)?.userIds.includes(page.myId.value);
    this.#tell(await this.#ask('chat_reaction', { msg_id: id, emoji, added: !mine }));
  }

  /** There is something in the box, or nothing any more. @param {boolean} something */
  typed(something) {
    if (!something && !this.#typedAt) return;
    if (something && Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = something ? Date.now() : 0;
    this.#send('typing', { typing: something });
  }

  loadOlder() {
    return this.#history.loadOlder();
  }

  /** @returns {boolean} whether the error was about something said here */
  refused(id, error) {
    if (this.#outbox.refused(id, error)) {
      if (error.code === 'SLOW_MODE') page.tell(t('slowMode', { n: Math.ceil(error.retry_after_ms / 1000) }));
      return true;
    }
    return this.#answered(id, error);
  }

  /** @returns {Promise<string>} what was wrong, or "" */
  #ask(type, payload) {
    const id = `ask-${(this.#questions += 1)}`;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answered(id, { code: 'TIMEOUT' }), ANSWER_MS);
      this.#asked.set(id, (error) => {
        clearTimeout(timer);
        resolve(error ? errorText(error.code, error.message) : '');
      });
      if (!this.#send(type, payload, id)) this.#answered(id, { code: 'UNREACHABLE' });
    });
  }

  #answered(id, error) {
    const answer = this.#asked.get(id);
    this.#asked.delete(id);
    answer?.(error);
    return Boolean(answer);
  }

  #startOver() {
    this.#toldRead = 0;
    this.#history.missed();
  }

  #tell(problem) {
    if (problem) page.tell(problem);
  }

  #comes = together(SHOWN_EVERY_MS, (/** @type {{message: state.Message, id: string}[]} */ list) => {
    if (this.#closed) return;
    if (state.looking.value) this.#history.tidy();
    batch(() => {
      state.messagesCame(list.map(({ message }) => message));
      for (const { message, id } of list) this.#said(message, id);
    });
  });

  #said(message, id) {
    this.#writes(message.userId, '');
    if (message.userId === page.myId.value) this.#outbox.settled(id);
    if (!state.isNews(message)) return;
    const { unreadFrom, readUpTo, looking } = state;
    if (!looking.value && readUpTo.value >= unreadFrom.value) state.unreadBegins(message.seq);
    announce(`${message.name}: ${message.text.slice(0, LONGEST_READ_OUT)}`, 'said');
  }

  /** The message itself may come a little later, or have come before the connection was lost. */
  #acked({ client_msg_id: id, msg_id: msgId, seq, ts_unix: at }) {
    const sent = state.pending.value.find((pending) => pending.id === id);
    if (!sent) return;
    batch(() => {
      const { id: userId, displayName: name } = page.user.value;
      const { text, replyTo } = sent;
      const message = { id: msgId, seq, userId: String(userId), name, text, at: at * 1000, replyTo };
      state.messagesCame([{ ...message, editedAt: 0, deleted: false, reactions: [] }]);
      this.#outbox.settled(id);
    });
  }

  #writes(id, name) {
    clearTimeout(this.#writers.get(id));
    this.#writers.delete(id);
    if (name) this.#writers.set(id, setTimeout(() => this.#writes(id, ''), TYPING_ENDS_MS));
    state.writes(id, name);
  }

  /** What is looked at has been read, and the server is told. */
  #read() {
    const last = state.messages.value.at(-1)?.seq ?? 0;
    if (!state.looking.value || state.readUpTo.value < 0 || page.connection.value !== 'open') return;
    untracked(() => {
      if (last > this.#toldRead && this.#send('read', { seq: last })) this.#toldRead = last;
      if (last > state.readUpTo.value) state.readIs(last);
    });
  }
}

const enough = (count) => state.messages.value.filter(state.isNews).length >= count;

/** Once the newest messages are here. */
function known() {
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (state.history.value === 'known') queueMicrotask(() => (stop(), resolve()));
    });
  });
}
