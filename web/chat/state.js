/**
 * What the page knows of the chat of the room one is in. Components read the signals; only the functions of this
 * file change them.
 *
 * @typedef {{emoji: string, userIds: string[]}} Reaction
 * @typedef {{id: string, seq: number, userId: string, name: string, text: string, at: number, editedAt: number,
 *            deleted: boolean, replyTo: string, reactions: Reaction[]}} Message
 * @typedef {import('./outbox.js').Pending} Pending
 * @typedef {{text: string, editedAt: number, deleted: boolean}} Change
 */
import { myId } from '../state.js';
import { batch, computed, signal } from '../vendor/signals-core.js';

/** In the order of the log, without holes from the first one here to the newest. */
export const messages = signal(/** @type {Message[]} */ ([]));
/** Whether the messages up to now are here: not until then can one say that there are none. */
export const history = signal(/** @type {'loading' | 'failed' | 'known'} */ ('loading'));
export const older = signal({ cursor: '', loading: false });
export const pending = signal(/** @type {Pending[]} */ ([]));

/** Who writes now: id → name. */
export const writing = signal(/** @type {Map<string, string>} */ (new Map()));
/** The message that the next one answers. */
export const answering = signal(/** @type {Message | null} */ (null));
/** The message of one's own that is being changed, and why the server did not take the change. */
export const editing = signal(/** @type {{id: string, busy: boolean, problem: string} | null} */ (null));
/** The message one is asked about: whether it shall be deleted. */
export const deleting = signal(/** @type {Message | null} */ (null));
/** The message to be shown: it is found, brought into view, and marked for a moment. */
export const target = signal('');

/** How far one has read: -1 until that is known. */
export const readUpTo = signal(-1);
/** The first message that was unread when one came to it: the line stands above it. 0: there is no line. */
export const unreadFrom = signal(0);
/** Whether what is newest is in view, on a page that is looked at. */
export const looking = signal(false);
/** How many messages of others one has not seen. */
export const unseen = computed(() => {
  if (readUpTo.value < 0) return 0;
  const all = messages.value;
  let count = 0;
  for (let at = all.length - 1; at >= 0 && all[at].seq > readUpTo.value; at -= 1) count += Number(isNews(all[at]));
  return count;
});

export const isNews = ({ userId, deleted }) => !deleted && userId !== myId.value;

/** A clean slate, before a room and after it. */
export function leftRoom() {
  batch(() => {
    forgetMessages();
    pending.value = [];
    writing.value = new Map();
    answering.value = editing.value = deleting.value = null;
    target.value = '';
    readUpTo.value = -1;
    unreadFrom.value = 0;
  });
}

/** Of messages that may be on their way here, in an older form: id → what became of them. */
const changes = new Map();
/** The same for reactions: id → the newest of each person and emoji. @type {Map<string, Map<string, Reacted>>} */
const reacted = new Map();
const MOST_CHANGES = 1_000;
/** @typedef {{emoji: string, userId: string, added: boolean}} Reacted */

/** Messages from anywhere, in any order, some perhaps known already. @param {Message[]} list */
export function messagesCame(list) {
  // What is said now is newer than all; thousands that are here already need not be looked at.
  let newest = messages.value.at(-1)?.seq ?? 0;
  if (list.every(({ seq }) => newest < (newest = seq))) {
    messages.value = [...messages.value, ...list.map(asItIsNow)];
    return;
  }
  const known = new Set(messages.value.map(({ id }) => id));
  for (const { id, text, editedAt, deleted } of list) {
    if (known.has(id) && (deleted || editedAt)) messageChanged(id, { text, editedAt, deleted });
  }
  const fresh = list.filter(({ id }) => !known.has(id)).map((message) => asItIsNow(message));
  if (fresh.length) messages.value = [...messages.value, ...fresh].sort((a, b) => a.seq - b.seq);
}

/**
 * The newest page, in the place of all that was here up to it: an earlier one, of which something may have changed.
 * @param {Message[]} list
 */
export function newestAre(list) {
  const before = new Map(messages.value.map((message) => [message.id, message]));
  const end = Math.max(0, ...list.map(({ seq }) => seq));
  const now = list.map(asItIsNow).map((message) => unlessTheSame(before.get(message.id), message));
  messages.value = [...now.sort((a, b) => a.seq - b.seq), ...messages.value.filter(({ seq }) => seq > end)];
}

/** What is as it was is not drawn anew. */
const unlessTheSame = (before, now) => (JSON.stringify(before) === JSON.stringify(now) ? before : now);

/** An edit or a deletion. @param {string} id @param {Change} change */
export function messageChanged(id, change) {
  remember(changes, id, changed({ text: '', editedAt: 0, deleted: false, ...changes.get(id) }, change));
  replace(id, (message) => changed(message, change));
}

/** @param {string} id @param {Reacted} reaction */
export function reactionChanged(id, reaction) {
  const each = reacted.get(id) ?? new Map();
  each.set(`${reaction.userId} ${reaction.emoji}`, reaction);
  remember(reacted, id, each);
  replace(id, (message) => withReaction(message, reaction));
}

/** What is before `seq` is not kept: it has been read, and can be had again. @param {number} seq */
export function keepFrom(seq) {
  batch(() => {
    messages.value = messages.value.filter((message) => message.seq >= seq);
    if (unreadFrom.value < seq) unreadFrom.value = 0;
  });
}

/** The messages of the room are not known any more. What one has written and is not saved yet stays. */
export function forgetMessages() {
  batch(() => {
    messages.value = [];
    changes.clear();
    reacted.clear();
    history.value = 'loading';
    older.value = { cursor: '', loading: false };
    unreadFrom.value = 0;
    if (readUpTo.value > 0) readUpTo.value = 0; // of another history, perhaps
  });
}

export const historyIs = (status) => (history.value = status);
export const olderIs = (cursor, loading) => (older.value = { cursor, loading });
export const pendingAre = (list) => (pending.value = list);

/** @param {string} id @param {string} name "": not any more */
export function writes(id, name) {
  if (!name && !writing.value.has(id)) return;
  const all = new Map(writing.value);
  if (name) all.set(id, name);
  else all.delete(id);
  writing.value = all;
}

export const answer = (message) => (answering.value = message);
export const edit = (id) => (editing.value = id ? { id, busy: false, problem: '' } : null);
export const editIs = (busy, problem) => (editing.value = editing.value && { ...editing.value, busy, problem });
export const askToDelete = (message) => (deleting.value = message);
export const show = (id) => (target.value = id);
export const lookingIs = (value) => (looking.value = value);
export const readIs = (seq) => (readUpTo.value = seq);
export const unreadBegins = (seq) => (unreadFrom.value = seq);

/** @param {string} id @returns {Message | undefined} */
export const find = (id) => messages.value.find((message) => message.id === id);

/** The newest message of one's own that can still be changed. */
export const lastOfMine = () => messages.value.findLast(({ userId, deleted }) => userId === myId.value && !deleted);

function replace(id, by) {
  const at = messages.value.findIndex((message) => message.id === id);
  const before = messages.value[at];
  const after = before && by(before);
  if (after !== before) messages.value = messages.value.with(at, after);
}

function remember(map, id, what) {
  map.set(id, what);
  if (map.size > MOST_CHANGES) map.delete(map.keys().next().value);
}

function asItIsNow(message) {
  const now = changed(message, changes.get(message.id));
  return [...(reacted.get(message.id)?.values() ?? [])].reduce(withReaction, now);
}

/** The newer one wins, and what is deleted stays so. */
function changed(message, change) {
  if (!change || message.deleted || (!change.deleted && change.editedAt < message.editedAt)) return message;
  return { ...message, ...change, ...(change.deleted && { reactions: [] }) };
}

/** @param {Message} message @param {Reacted} reaction */
function withReaction(message, { emoji, userId, added }) {
  const there = message.reactions.find((each) => each.emoji === emoji);
  if (message.deleted || Boolean(there?.userIds.includes(userId)) === added) return message;
  const userIds = added ? [...(there?.userIds ?? []), userId] : there.userIds.filter((id) => id !== userId);
  const now = { emoji, userIds };
  const all = there ? message.reactions.map((each) => (each === there ? now : each)) : [...message.reactions, now];
  return { ...message, reactions: all.filter((each) => each.userIds.length) };
}
