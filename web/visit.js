/**
 * A visit to one room, from taking the seat to leaving: what the frames and the clicks do.
 */
import { announce, hush } from './announcer.js';
import * as api from './api.js';
import { backOff, pause } from './backoff.js';
import { Conversation } from './chat/conversation.js';
import { preferences } from './preferences.js';
import { Socket } from './socket.js';
import * as state from './state.js';
import { serverTimeIs, study, timerIs } from './studying.js';
import { errorText, t } from './text.js';
import { SignedOut } from './tokens.js';
import { batch } from './vendor/signals-core.js';
import { Voice } from './voice.js';

const MUTE = 'mute';
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** The last syllable is longer than the finger stays on the key. */
const TALK_ON_MS = 200;
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
  /** Whether hearing again opens the microphone too. */
  #openAfterwards = false;
  #talkTimer = 0;
  #everConnected = false;
  /** Where the room's log ended when the server said hello. */
  #head = 0;
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

  /** Who can be heard hears as well. @param {boolean} muted */
  mute(muted) {
    if (!muted) state.deafenedIs(false);
    this.#muteAsked = muted;
    state.mutedIs(muted);
    this.#send('mute', { muted }, MUTE);
  }

  /** Hear nobody and say nothing, or as before. @param {boolean} deafened */
  deafen(deafened) {
    if (deafened) this.#openAfterwards = !state.muted.value;
    state.deafenedIs(deafened);
    if (deafened ? !state.muted.value : this.#openAfterwards) this.mute(deafened);
  }

  /** The key to talk goes down, or up. @param {boolean} held */
  talk(held) {
    clearTimeout(this.#talkTimer);
    if (held) state.talkingIs(true);
    else this.#talkTimer = setTimeout(() => state.talkingIs(false), TALK_ON_MS);
  }

  /** @param {boolean} raised */
  raiseHand(raised) {
    this.#send('hand', { raised });
  }

  /** An emoji that everybody sees for a moment. @param {string} emoji */
  react(emoji) {
    this.#send('reaction', { emoji });
  }

  /** What a moderator does to somebody; refusals are told. @param {string} userId @param {string} action @param {object} [more] */
  moderate(userId, action, more) {
    return this.#rule(api.moderate(this.#roomId, userId, action, more));
  }

  /** @param {object} settings */
  changeRoom(settings) {
    return this.#rule(api.changeRoom(this.#roomId, settings));
  }

  deleteRoom() {
    return this.#rule(api.deleteRoom(this.#roomId));
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
    hush();
    state.leftRoom();
  }

  async #enter() {
    api.getConfig().catch(() => {}); // beside the join; the socket, which needs it, asks again
    try {
      await this.#insist(() => api.joinRoom(this.#roomId), () => state.connectionIs('waiting'));
      if (this.#ended) return;
      this.#socket = new Socket(this.#roomId, {
        frame: (frame) => this.#received(frame),
        status: (status, code, reason) => this.#statusChanged(status, code, reason),
      });
      this.chat.begin();
      const room = await this.#insist(() => api.getRoom(this.#roomId));
      if (this.#ended) return;
      state.roomEntered(room);
      this.chat.unreadWere(room.unread ?? 0);
    } catch (error) {
      if (this.#ended || error instanceof SignedOut) return;
      this.#socket?.close();
      state.keptOut(error.code, error.message);
    }
  }

  /** What cannot be had now is asked for until it can. @param {() => Promise<any>} ask @param {() => void} [waiting] */
  async #insist(ask, waiting) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await ask();
      } catch (error) {
        if (this.#ended || error instanceof SignedOut || isFinal(error)) throw error;
      }
      waiting?.();
      await pause(backOff(attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS));
    }
  }

  /** @returns {Promise<Record<string, string> | null>} what is wrong with each field; null: it is done */
  async #rule(asked) {
    try {
      await asked;
      return null;
    } catch (error) {
      if (error instanceof SignedOut) return {};
      const fields = error.fields ?? {};
      if (!Object.keys(fields).length) state.tell(errorText(error.code ?? 'UNREACHABLE', error.message));
      return fields;
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
    hello: ({ ice_servers: iceServers, server_time_ms: time, last_seq: head }) => {
      this.#head = head;
      this.voice.iceServers = iceServers ?? [];
      serverTimeIs(time);
    },
    state: (payload) => this.#connected(payload),
    peer_joined: ({ participant }) => this.#came(personOf(participant)),
    peer_left: ({ user_id: id }) => this.#went(id),
    participant_updated: ({ participant }) => this.#changed(personOf(participant)),
    reaction: ({ user_id: id, emoji }) => this.#reacted(id, emoji),
    timer: ({ timer }) => timerIs(timer),
    room_updated: ({ room }) => state.roomChanged(room),
    answer: (payload, { id }) => this.voice.answered(payload, id),
    slots: ({ slots }) => state.slotsAre(slots),
    speakers: ({ speakers }) => state.speakersAre(speakers.map(({ user_id: id, level }) => ({ id, level }))),
    quality: ({ rtt_ms: rttMs, loss, jitter_ms: jitterMs, mos }) => state.qualityIs({ rttMs, loss, jitterMs, mos }),
    moderated: (payload) => this.#moderated(payload),
    voice_lost: (payload) => this.voice.lost(payload),
    error: (payload) => this.#failed(payload),
  };

  #connected({ participants, room, timer }) {
    batch(() => {
      timerIs(timer);
      state.roomChanged(room);
      state.peopleAre(participants.map(personOf));
      const me = state.me.value;
      // A mute asked for while there was no connection must not be undone by it.
      if (this.#muteAsked !== null) this.mute(this.#muteAsked);
      else if (me) state.mutedIs(me.muted);
    });
    this.chat.connected(this.#head);
    this.voice.reconnected();
    if (!this.#everConnected && preferences.value.joinAtOnce) this.voice.join();
    this.#everConnected = true;
  }

  #came(person) {
    state.personCame(person);
    announce(t('joined', { name: person.name }), 'came');
  }

  #went(id) {
    const person = state.people.value.find((each) => each.id === id);
    if (!person || id === state.myId.value) return;
    state.personLeft(id);
    announce(t('left', { name: person.name }), 'left');
  }

  #reacted(id, emoji) {
    state.reacted(id, emoji);
    const person = state.people.value.find((each) => each.id === id);
    if (person && id !== state.myId.value) announce(`${person.name}: ${emoji}`, 'reacted');
  }

  #changed(person) {
    const before = state.people.value.find(({ id }) => id === person.id);
    state.personChanged(person);
    if (person.handRaisedAt && !before?.handRaisedAt) announce(t('raisedHand', { name: person.name }), 'raised');
    if (person.id !== state.myId.value) return;
    if (this.#muteAsked !== null && this.#muteAsked !== person.muted) return; // the answer to an earlier click
    this.#muteAsked = null;
    state.mutedIs(person.muted);
  }

  /** Who it is done to is told in words; the others see it. */
  #moderated(payload) {
    state.moderated(payload);
    const { user_id: id, by, action, role } = payload;
    if (id !== state.myId.value || by === id) return;
    const sentence = action === 'role' ? `role.${role}` : { mute: 'youAreMuted', unmute: 'youAreUnmuted' }[action];
    const name = state.people.value.find((each) => each.id === by)?.name ?? t('aModerator');
    if (sentence) state.tell(t(sentence, { name }));
  }

  #muteRefused() {
    this.#muteAsked = null;
    const me = state.me.value;
    if (me) state.mutedIs(me.muted);
  }

  #failed(error) {
    const { ref_id: id, code, message } = error;
    if (this.chat.refused(id, error)) return;
    if (this.voice.refused(id, error)) return;
    if (id === MUTE) this.#muteRefused();
    state.tell(errorText(code, message));
  }
}

/** Whether the same question would get the same answer in a while. */
const isFinal = (error) => error instanceof api.ApiError && error.status < 500 && error.status !== 429;

function personOf(payload) {
  const { user_id: id, display_name: name, role, joined_at_unix: joinedAt, muted, muted_by: mutedBy } = payload;
  const { may_speak: maySpeak = true, hand_raised_at: handRaisedAt } = payload;
  return { id, name, role, joinedAt, muted, mutedBy: mutedBy ?? '', maySpeak, handRaisedAt: handRaisedAt ?? 0 };
}
