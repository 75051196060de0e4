/**
 * What a screen reader is told: politely, and at a pace one can listen to. What happens faster than that is told
 * together: by name or word for word while it is little, by number where it is much.
 */
import { t } from './text.js';
import { signal } from './vendor/signals-core.js';

/** @typedef {'came' | 'left' | 'raised' | 'reacted' | 'said' | 'told'} Kind */

/** From one time to the next: longer and longer while there is much to tell. */
const FIRST_WAIT_MS = 1_500;
const LONGEST_WAIT_MS = 12_000;
/** So many of a kind are told one by one. */
const MOST = 3;
/** A screen reader may still be at the one before. */
const KEPT = 4;

/** What was told last, the newest at the end. */
export const announcements = signal(/** @type {{id: number, sentence: string}[]} */ ([]));

/** What happened since. @type {Map<Kind, {count: number, sentences: string[]}>} */
const gathered = new Map();
let timer = 0;
let wait = FIRST_WAIT_MS;
let told = 0;

/** @param {string} sentence @param {Kind} [kind] */
export function announce(sentence, kind = 'told') {
  const { count, sentences } = gathered.get(kind) ?? { count: 0, sentences: [] };
  gathered.set(kind, { count: count + 1, sentences: [...sentences, sentence].slice(-MOST) });
  timer ||= setTimeout(speak);
}

/** One has left: what has not been told yet is no news any more. */
export const hush = () => gathered.clear();

function speak() {
  const kinds = [...gathered];
  gathered.clear();
  const much = kinds.some(([, { count }]) => count > MOST);
  wait = much ? Math.min(2 * wait, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
  timer = kinds.length ? setTimeout(speak, wait) : 0;
  if (!kinds.length) return;
  const sentence = kinds.map(([kind, { count, sentences }]) => (count > MOST && kind !== 'told' ? t(`many.${kind}`, { n: count }) : sentences.join(' '))).join(' ');
  announcements.value = [...announcements.value.slice(1 - KEPT), { id: (told += 1), sentence }];
}
