/**
 * A visit to one room, from taking the seat to leaving: what the frames and the clicks do.
 */
import * as api from './api.js';
import { Conversation } from './chat/conversation.js';
import { Socket } from './socket.js';
import * as state from './state.js';
import { serverTimeIs, study, timerIs } from './studying.js';
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
  #stopStudying;
  /** @type {Conversation} */
  chat;
  voice = new Voice((type, payload, id) => this.#send(type, payload, id));

  constructor(roomId) {
    this.#roomId = roomId;
    state.leftRoom();
    this.chat = new Conversation(roomId, (type, payload, id) => this.#send(type, payload, id));
    this.#stopStudying = study((muted) => this.mute(muted));
    this.#enter();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#muteAsked = muted;
    this.#applyMute(muted);
    this.#send('mute', { muted }, MUTE);
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
    this.#stopStudying();
    this.voice.close();
    this.chat.close();
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
      if (this.#ended) return;
      state.roomEntered(room);
      this.chat.unreadWere(room.unread ?? 0);
    } catch (error) {
      if (this.#ended || error instanceof SignedOut) return;
      this.#socket?.close();
      state.keptOut(error instanceof api.ApiError ? error.code : 'UNREACHABLE', error.message);
    }
  }

  #send(type, payload, id) {
    return this.#socket?.send(type, payload, id) ?? false;
  }

  #statusChanged(status, code, reason) {
    state.connectionIs(status);
    if (status !== 'open') this.chat.disconnected();
    if (status !== 'closed' || !code) return;
    this.voice.leave();
    state.keptOut(SAID_BY_NAME.has(reason) ? reason : code);
  }

  /** @param {import('./socket.js').Frame} frame */
  #received(frame) {
    (this.#handlers[frame.type] ?? this.chat.frames[frame.type])?.(frame.payload, frame);
  }

  /** A dict from the frame's type to what it does; types that are not here are from a newer server. */
  #handlers = {
    hello: ({ ice_servers: iceServers, server_time_ms: time }) => {
      this.voice.iceServers = iceServers ?? [];
      serverTimeIs(time);
    },
    state: (payload) => this.#connected(payload),
    peer_joined: ({ participant }) => this.#came(personOf(participant)),
    peer_left: ({ user_id: id }) => this.#went(id),
    participant_updated: ({ participant }) => this.#changed(personOf(participant)),
    timer: ({ timer }) => timerIs(timer),
    room_updated: ({ room }) => state.roomChanged(room),
    answer: (payload, { id }) => this.voice.answered(payload, id),
    slots: ({ slots }) => state.slotsAre(slots),
    speakers: ({ speakers }) => state.speakersAre(speakers.map(({ user_id: id }) => id)),
    voice_lost: (payload) => this.voice.lost(payload),
    error: (payload) => this.#failed(payload),
  };

  #connected({ participants, room, timer }) {
    batch(() => {
      timerIs(timer);
      state.roomChanged(room);
      state.peopleAre(participants.map(personOf));
      const me = state.people.value.find(({ id }) => id === state.myId.value);
      // A mute asked for while there was no connection must not be undone by it.
      if (this.#muteAsked !== null) this.mute(this.#muteAsked);
      else if (me) this.#applyMute(me.muted);
    });
    this.chat.connected();
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

  #failed(error) {
    const { ref_id: id, code, message } = error;
    if (this.chat.refused(id, error)) return;
    if (this.voice.refused(id, error)) return;
    if (id === MUTE) this.#muteRefused();
    state.tell(errorText(code, message));
  }
}

function personOf(payload) {
  const { user_id: id, display_name: name, role, joined_at_unix: joinedAt, muted, muted_by: mutedBy } = payload;
  return { id, name, role, joinedAt, muted, mutedBy: mutedBy ?? '', maySpeak: payload.may_speak ?? true };
}
