/**
 * What the page shows. Components read the signals; only the functions of this file change them.
 *
 * @typedef {import('./tokens.js').User} User
 * @typedef {{id: string, name: string, max_participants: number, created_at: string, owner_id: number,
 *            topic?: string, participants?: number, unread?: number}} Room
 * @typedef {{id: string, name: string, joinedAt: number, role: string, muted: boolean, mutedBy: string,
 *            maySpeak: boolean}} Person
 * @typedef {'off' | 'connecting' | 'on' | 'lost' | 'elsewhere'} VoiceStatus
 * @typedef {'ok' | 'asking' | 'refused' | 'missing' | 'busy' | 'insecure'} Microphone
 */
import { batch, computed, signal } from './vendor/signals-core.js';

/** Who is signed in. */
export const user = signal(/** @type {User | null} */ (null));
export const myId = computed(() => String(user.value?.id ?? ''));

export const roomList = signal({ items: /** @type {Room[]} */ ([]), next: '', loaded: false });

/** The room one is in. */
export const room = signal(/** @type {Room | null} */ (null));
export const connection = signal(/** @type {import('./socket.js').Status} */ ('connecting'));
/** Why the page stays out of the room: a close code or an API error's code, and what the server said. */
export const shutOut = signal(/** @type {{code: string, said: string} | null} */ (null));
export const people = signal(/** @type {Person[]} */ ([]));

export const voice = signal(/** @type {VoiceStatus} */ ('off'));
export const microphone = signal(/** @type {Microphone} */ ('ok'));
/** Whether there is a microphone to speak into, or may be in a moment. */
export const canSpeak = computed(() => microphone.value === 'ok' || microphone.value === 'asking');
export const muted = signal(false);
/** Whether I am kept from speaking, by my role or by the room. */
export const barred = computed(() => people.value.some(({ id, maySpeak }) => id === myId.value && !maySpeak));
export const soundBlocked = signal(false);
/** Whose voice each receiving m-line carries: mid → user id or null. */
export const slots = signal(/** @type {Map<string, string | null>} */ (new Map()));
/** Who of the others speaks now, as the server hears it. */
export const speaking = signal(/** @type {Set<string>} */ (new Set()));
/** Whether I speak now, as my own microphone hears it. */
export const speakingMyself = signal(false);

/** How many messages of others in the room one has not seen. */
export const unread = signal(0);

/** What a screen reader is told politely. */
export const announcement = signal('');
/** One sentence at the foot of the page, for what went wrong with the last click. */
export const notice = signal('');

export const signedIn = (who) => (user.value = who);

export function roomsLoaded(items, next, append) {
  const before = append ? roomList.value.items : [];
  roomList.value = { items: [...before, ...items], next, loaded: true };
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
    soundBlocked.value = false;
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
export const soundBlockedIs = (value) => (soundBlocked.value = value);

export function voiceEnded(status) {
  batch(() => {
    voice.value = status;
    slots.value = new Map();
    speaking.value = new Set();
    speakingMyself.value = false;
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

/** @param {Iterable<string>} ids */
export function speakersAre(ids) {
  speaking.value = new Set(ids);
}

export const speakingMyselfIs = (value) => (speakingMyself.value = value);

export const unreadIs = (count) => (unread.value = count);
export const announce = (sentence) => (announcement.value = sentence);

let noticeTimer = 0;
export function tell(sentence) {
  clearTimeout(noticeTimer);
  notice.value = sentence;
  if (sentence) noticeTimer = setTimeout(() => (notice.value = ''), 8_000);
}
