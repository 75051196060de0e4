/**
 * What the page shows. Components read the signals; only the functions of this file change them.
 *
 * @typedef {import('./tokens.js').User} User
 * @typedef {{id: string, name: string, max_participants: number, created_at: string, owner_id: number,
 *            topic?: string, participants?: number, unread?: number, visibility?: string, locked?: boolean,
 *            slow_mode_s?: number, listen_only?: boolean}} Room
 * @typedef {{id: string, name: string, joinedAt: number, role: string, muted: boolean, mutedBy: string,
 *            maySpeak: boolean, handRaisedAt: number}} Person
 * @typedef {'off' | 'connecting' | 'on' | 'lost' | 'elsewhere'} VoiceStatus
 * @typedef {'ok' | 'asking' | 'held' | 'refused' | 'missing' | 'busy' | 'insecure'} Microphone
 */
import { preferences } from './preferences.js';
import { together } from './together.js';
import { batch, computed, signal } from './vendor/signals-core.js';

/** Who is signed in. */
export const user = signal(/** @type {User | null} */ (null));
export const myId = computed(() => String(user.value?.id ?? ''));

export const roomList = signal({ items: /** @type {Room[]} */ ([]), next: '', loaded: false });
/** Who is inside a room of the list, as seen last: room id → people. */
export const inside = signal(/** @type {Map<string, {id: string, name: string}[]>} */ (new Map()));

/** The room one is in. */
export const room = signal(/** @type {Room | null} */ (null));
export const connection = signal(/** @type {import('./socket.js').Status} */ ('connecting'));
/** Why the page stays out of the room: a close code or an API error's code, and what the server said. */
export const shutOut = signal(/** @type {{code: string, said: string} | null} */ (null));
export const people = signal(/** @type {Person[]} */ ([]));

export const voice = signal(/** @type {VoiceStatus} */ ('off'));
export const microphone = signal(/** @type {Microphone} */ ('ok'));
/** Whether there is a microphone to speak into, or may be in a moment. */
export const canSpeak = computed(() => ['ok', 'asking', 'held'].includes(microphone.value));
/** Whether a talk that one is in does not go on just now. */
export const interrupted = computed(() => voice.value === 'lost' || (voice.value === 'on' && connection.value !== 'open'));
export const muted = signal(false);
/** Whether I hear nobody, by a click of my own. */
export const deafened = signal(false);
/** Whether the key or the button to talk is held down. */
export const talking = signal(false);
/** What one speaks into; empty: nothing. */
export const microphoneName = signal('');
/** Whether what I say goes out. */
export const microphoneOpen = computed(() => !muted.value && (talking.value || !preferences.value.pushToTalk));
/** My own part in the room. */
export const me = computed(() => people.value.find(({ id }) => id === myId.value));
export const moderating = computed(() => ['owner', 'moderator'].includes(me.value?.role ?? ''));
/** Raised hands, the one raised first in front. */
export const hands = computed(() =>
  people.value.filter(({ handRaisedAt }) => handRaisedAt).sort((a, b) => a.handRaisedAt - b.handRaisedAt),
);
/** Who muted whom, as far as one has been here to see it: user id → user id. */
export const mutedByWhom = signal(/** @type {Map<string, string>} */ (new Map()));
/** Whether I am kept from speaking, by my role or by the room. */
export const barred = computed(() => me.value?.maySpeak === false);
/** What somebody showed just now: user id → the newest. */
export const reactions = signal(/** @type {Map<string, {emoji: string}>} */ (new Map()));
export const soundBlocked = signal(false);
/** What played the sound and has been pulled out; empty: nothing. */
export const outputGone = signal('');
/** How my own voice does, as the server measures it. */
export const quality = signal(/** @type {import('./quality.js').Quality | null} */ (null));
/** What share of the others' voices was missing here lately: user id → 0 to 1. */
export const reception = signal(/** @type {Map<string, number>} */ (new Map()));
/** Whose voice each receiving m-line carries: mid → user id or null. */
export const slots = signal(/** @type {Map<string, string | null>} */ (new Map()));
/** Who of the others speaks now, and how loud (0 to 1), as the server hears it and the rings show it. */
export const speaking = signal(/** @type {Map<string, number>} */ (new Map()));
/** How loud I speak, muted or not, as my ring shows it: 0 to 1, -1 while I do not. */
export const speakingMyself = signal(-1);
/** How loud my own microphone is (0 to 1), speech or not. */
export const ownLevel = signal(0);

/** How many messages of others in the room one has not seen. */
export const unread = signal(0);

/** One sentence at the foot of the page, for what went wrong with the last click. */
export const notice = signal('');

export const signedIn = (who) => (user.value = who);

export function roomsLoaded(items, next, append) {
  const before = append ? roomList.value.items : [];
  // Where somebody is comes first.
  const all = [...before, ...items].sort((a, b) => Number(b.participants > 0) - Number(a.participants > 0));
  roomList.value = { items: all, next, loaded: true };
}

/** A clean slate, before a room and after it. */
export function leftRoom() {
  batch(() => {
    room.value = null;
    connection.value = 'connecting';
    shutOut.value = null;
    people.value = [];
    voiceEnded('off');
    microphone.value = 'ok';
    muted.value = false;
    deafened.value = false;
    mutedByWhom.value = new Map();
    reactions.value = new Map();
    soundBlocked.value = false;
    outputGone.value = '';
  });
}

/** What the websocket has said of the room meanwhile is newer. */
export const roomEntered = (entered) => (room.value = { ...entered, ...room.value });
export const roomChanged = (view) => (room.value = { ...room.value, ...view });
export const connectionIs = (status) => (connection.value = status);
export const keptOut = (code, said = '') => (shutOut.value = { code: String(code), said });

export function peopleAre(list) {
  people.value = list.toSorted((a, b) => a.joinedAt - b.joinedAt);
}

export function personCame(person) {
  peopleAre([...people.value.filter(({ id }) => id !== person.id), person]);
}

export function personChanged(changed) {
  people.value = people.value.map((person) => (person.id === changed.id ? changed : person));
}

export function personLeft(id) {
  people.value = people.value.filter((person) => person.id !== id);
}

export const voiceIs = (status) => (voice.value = status);
export const microphoneIs = (status) => (microphone.value = status);
export const mutedIs = (value) => (muted.value = value);
export const deafenedIs = (value) => (deafened.value = value);
export const talkingIs = (value) => (talking.value = value);
export const microphoneNameIs = (name) => (microphoneName.value = name);
export const soundBlockedIs = (value) => (soundBlocked.value = value);
export const outputGoneIs = (name) => (outputGone.value = name);
export const qualityIs = (measured) => (quality.value = measured);

export function voiceEnded(status) {
  batch(() => {
    voice.value = status;
    slots.value = new Map();
    speakersAre([]);
    quality.value = null;
    reception.value = new Map();
  });
}

export function slotsAre(list) {
  slots.value = new Map(list.map(({ mid, user_id: userId }) => [mid, userId || null]));
}

/** Whether somebody who is not muted has a slot: packets of theirs come, whether they speak or not. */
export function somebodyIsHeard() {
  const unmuted = new Set(people.value.filter((person) => !person.muted).map(({ id }) => id));
  return [...slots.value.values()].some((id) => unmuted.has(id));
}

/** @param {Map<string, number>} missing mid → share */
export function receptionIs(missing) {
  const heard = [...missing].map(([mid, share]) => /** @type {const} */ ([slots.value.get(mid) ?? '', share]));
  reception.value = new Map(heard.filter(([id]) => id));
}

/** @param {{id: string, level: number}[]} list levels from 0 to 127, as the server counts */
export function speakersAre(list) {
  const levels = new Map(list.map(({ id, level }) => [id, Math.min(1, Math.max(0, level - QUIETEST) / (LOUDEST - QUIETEST))]));
  changeRings(() => (speaking.value = levels));
}

/** What a voice's ring moves between: -60 and -15 dBov. */
const QUIETEST = 67;
const LOUDEST = 112;

export function heardMyself(level, speaks) {
  ownLevel.value = level;
  changeRings(() => (speakingMyself.value = speaks ? level : -1));
}

/** As often as the server says who speaks: one's own ring costs no frames besides. */
export const RINGS_MS = 200;
const changeRings = together(RINGS_MS, (/** @type {(() => void)[]} */ changes) => batch(() => changes.forEach((change) => change())));

export function moderated({ user_id: id, by, action }) {
  if (action === 'mute') mutedByWhom.value = new Map(mutedByWhom.value).set(id, by);
}

/** @param {string} id @param {string} emoji */
export function reacted(id, emoji) {
  const shown = { emoji };
  reactions.value = new Map(reactions.value).set(id, shown);
  setTimeout(() => {
    if (reactions.value.get(id) === shown) reactions.value = new Map([...reactions.value].filter(([each]) => each !== id));
  }, REACTION_MS);
}

/** So long an emoji is seen. */
const REACTION_MS = 4_000;

export function insideIs(roomId, list) {
  inside.value = new Map(inside.value).set(roomId, list);
}

export const unreadIs = (count) => (unread.value = count);

let noticeTimer = 0;
export function tell(sentence) {
  clearTimeout(noticeTimer);
  notice.value = sentence;
  if (sentence) noticeTimer = setTimeout(() => (notice.value = ''), 8_000);
}
