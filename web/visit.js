/**
 * A visit to one room, from taking the seat to leaving: what the frames and the clicks do.
 */
import * as api from './api.js';
import { History } from './history.js';
import { Outbox } from './outbox.js';
import { Socket } from './socket.js';
import * as state from './state.js';
import { errorText, t } from './text.js';
import { SignedOut } from './tokens.js';
import { batch } from './vendor/signals-core.js';
import { Voice } from './voice.js';

const MUTE = 'mute';
/** Reasons of a close that say more than its code. */
const SAID_BY_NAME = new Set(['BANNED', 'KICKED', 'ROOM_DELETED']);

/** Take a seat and connect. Problems end up in `state.shutOut`. @param {string} roomId */
export function enterRoom(roomId) {
  return new Visit(roomId);
}

/** @typedef {InstanceType<typeof Visit>} RoomVisit */
class Visit {
  #roomId;
  #ended = false;
  /** @type {Socket | null} */
  #socket = null;
  /** What the user asked for last and the server has not confirmed yet. @type {boolean | null} */
  #muteAsked = null;
  #history;
  #outbox = new Outbox((pending) => this.#sendChat(pending), state.pendingAre);
  voice = new Voice((type, payload, id) => this.#send(type, payload, id));

  constructor(roomId) {
    this.#roomId = roomId;
    this.#history = new History(roomId);
    state.leftRoom();
    this.#enter();
  }

  say(text) {
    this.#outbox.add(text);
  }

  retry(id) {
    this.#outbox.retry(id);
  }

  discard(id) {
    this.#outbox.settled(id);
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#muteAsked = muted;
    this.#applyMute(muted);
    this.#send('mute', { muted }, MUTE);
  }

  loadOlder() {
    this.#history.loadOlder();
  }

  /** Go, and give the seat back. @returns once the server knows; nobody needs to wait for it */
  leave() {
    this.close();
    return api.leaveRoom(this.#roomId);
  }

  /** Go without giving the seat back, as closing the tab does. */
  close() {
    if (this.#ended) return;
    this.#ended = true;
    this.voice.close();
    this.#history.disconnected();
    this.#socket?.close();
    state.leftRoom();
  }

  async #enter() {
    try {
      await api.joinRoom(this.#roomId);
      if (this.#ended) return;
      this.#socket = new Socket(this.#roomId, {
        frame: (frame) => this.#received(frame),
        status: (status, code, reason) => this.#statusChanged(status, code, reason),
      });
      const room = await api.getRoom(this.#roomId);
      if (!this.#ended) state.roomEntered(room);
    } catch (error) {
      if (this.#ended || error instanceof SignedOut) return;
      this.#socket?.close();
      state.keptOut(error instanceof api.ApiError ? error.code : 'UNREACHABLE', error.message);
    }
  }

  #send(type, payload, id) {
    return this.#socket?.send(type, payload, id) ?? false;
  }

  #sendChat({ id, text }) {
    this.#send('chat', { message: text, client_msg_id: id }, id);
  }

  #statusChanged(status, code, reason) {
    state.connectionIs(status);
    if (status !== 'open') this.#history.disconnected();
    if (status !== 'closed' || !code) return;
    this.voice.leave();
    state.keptOut(SAID_BY_NAME.has(reason) ? reason : code);
  }

  /** @param {import('./socket.js').Frame} frame */
  #received(frame) {
    this.#handlers[frame.type]?.(frame.payload, frame);
  }

  /** A dict from the frame's type to what it does; types that are not here are from a newer server. */
  #handlers = {
    hello: ({ ice_servers: iceServers }) => (this.voice.iceServers = iceServers ?? []),
    state: (payload) => this.#connected(payload),
    resumed: ({ recovered }) => !recovered && this.#history.missed(),
    peer_joined: ({ participant }) => this.#came(personOf(participant)),
    peer_left: ({ user_id: id }) => this.#went(id),
    participant_updated: ({ participant }) => this.#changed(personOf(participant)),
    chat: (payload, { seq }) => this.#said(messageOfFrame(payload, seq), payload),
    chat_edited: ({ msg_id: id, message: text, ts_unix: at }) => state.messageChanged(id, edit(text, at)),
    chat_deleted: ({ msg_id: id }) => state.messageChanged(id, DELETION),
    room_updated: ({ room }) => state.roomChanged(room),
    chat_ack: (payload) => this.#acked(payload),
    answer: (payload, { id }) => this.voice.answered(payload, id),
    slots: ({ slots }) => state.slotsAre(slots),
    speakers: ({ speakers }) => state.speakersAre(speakers.map(({ user_id: id }) => id)),
    voice_lost: (payload) => this.voice.lost(payload),
    error: (payload) => this.#failed(payload),
  };

  #connected({ participants, room }) {
    batch(() => {
      state.roomChanged(room);
      state.peopleAre(participants.map(personOf));
      const me = state.people.value.find(({ id }) => id === state.myId.value);
      // A mute asked for while there was no connection must not be undone by it.
      if (this.#muteAsked !== null) this.mute(this.#muteAsked);
      else if (me) this.#applyMute(me.muted);
    });
    this.#history.connected();
    this.#outbox.resend();
    this.voice.reconnected();
  }

  #came(person) {
    state.personCame(person);
    state.announce(t('joined', { name: person.name }));
  }

  #went(id) {
    const person = state.people.value.find((each) => each.id === id);
    if (!person || id === state.myId.value) return;
    state.personLeft(id);
    state.announce(t('left', { name: person.name }));
  }

  #changed(person) {
    state.personChanged(person);
    if (person.id !== state.myId.value) return;
    if (this.#muteAsked !== null && this.#muteAsked !== person.muted) return; // the answer to an earlier click
    this.#muteAsked = null;
    this.#applyMute(person.muted);
  }

  #applyMute(muted) {
    state.mutedIs(muted);
    this.voice.mute(muted);
  }

  #muteRefused() {
    this.#muteAsked = null;
    const me = state.people.value.find(({ id }) => id === state.myId.value);
    if (me) this.#applyMute(me.muted);
  }

  #said(message, { client_msg_id: id }) {
    batch(() => {
      state.messagesCame([message]);
      if (message.userId === state.myId.value) this.#outbox.settled(id);
    });
  }

  /** The message itself may come a little later, or have come before the connection was lost. */
  #acked({ client_msg_id: id, msg_id: msgId, seq, ts_unix: at }) {
    const sent = state.pending.value.find((pending) => pending.id === id);
    if (!sent) return;
    batch(() => {
      const { id: userId, displayName: name } = state.user.value;
      const message = { id: msgId, seq, userId: String(userId), name, text: sent.text, at: at * 1000 };
      state.messagesCame([{ ...message, editedAt: 0, deleted: false }]);
      this.#outbox.settled(id);
    });
  }

  #failed(error) {
    const { ref_id: id, code, message, retry_after_ms: after } = error;
    if (this.#outbox.refused(id, error)) {
      if (code === 'SLOW_MODE') state.tell(t('slowMode', { n: Math.ceil(after / 1000) }));
      return;
    }
    if (this.voice.refused(id, error)) return;
    if (id === MUTE) this.#muteRefused();
    state.tell(errorText(code, message));
  }
}

function personOf(payload) {
  const { user_id: id, display_name: name, role, joined_at_unix: joinedAt, muted, muted_by: mutedBy } = payload;
  return { id, name, role, joinedAt, muted, mutedBy: mutedBy ?? '', maySpeak: payload.may_speak ?? true };
}

/** A replayed message comes as it is now: edited, or deleted and without its text. */
function messageOfFrame(payload, seq) {
  const { msg_id: id, user_id: userId, display_name: name, message: text, ts_unix: at, deleted } = payload;
  return { id, seq, userId, name, text, at: at * 1000, editedAt: (payload.edited_at_unix ?? 0) * 1000, deleted };
}

const edit = (text, at) => ({ text, editedAt: at * 1000, deleted: false });
const DELETION = { text: '', editedAt: 0, deleted: true };
