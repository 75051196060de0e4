/**
 * What has been said, as a window over it: however long the talk is, so many messages are on the page, and what is
 * read stays where it is while the window moves, older ones come in, or one above grows.
 */
import { answer, askToDelete, edit, history, messages, older, pending, show, target, unreadFrom, unseen } from '../../chat/state.js';
import * as chat from '../../chat/state.js';
import { html } from '../../html.js';
import { myId, tell, user } from '../../state.js';
import { t } from '../../text.js';
import { batch, effect } from '../../vendor/signals-core.js';
import { useEffect, useLayoutEffect, useRef } from '../../vendor/preact-hooks.js';
import { useSignal } from '../../vendor/signals.js';
import { Down } from '../icons.js';
import { entries } from './entries.js';
import { Up } from './icons.js';
import { openMenu } from './menu.js';

/** At most so many messages are on the page, and by so many the window moves. */
const SIZE = 150;
const STEP = 50;
/** While it keeps to the end, where each message is drawn as it comes: what fills a tall screen. */
const SIZE_AT_END = 100;
const STEP_AT_END = 25;
/** This near to the end counts as being at it, this near to an edge moves the window. Pixels. */
const AT_END = 48;
const NEAR = 400;
const MARKED_MS = 2_500;

/** @param {{visit: import('../../visit.js').RoomVisit}} props */
export function Log({ visit }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  /** Where the window begins (a place in the log), or that it keeps to the end. */
  const view = useSignal({ first: 0, follows: true });
  const marked = useSignal('');
  /** What was at the top of the view, and how deep in the log it ended; while the window keeps to the end, of no use. */
  const anchor = useRef({ element: null, depth: 0 });
  const lastPending = useRef('');

  const all = messages.value;
  const { first, follows } = view.value;
  // With each message at the end none goes at the beginning, but some of them now and then.
  const from = follows ? Math.max(0, Math.ceil((all.length - SIZE_AT_END) / STEP_AT_END) * STEP_AT_END) : placeOf(first);
  const to = Math.min(all.length, from + SIZE);
  const atNewest = to === all.length;

  const toEnd = () => {
    view.value = { first: 0, follows: true };
    box.current.scrollTop = box.current.scrollHeight;
  };
  const windowFrom = (index) => (view.value = { first: all[Math.max(0, index)]?.seq ?? 0, follows: false });

  /** Moves the window on where the view comes near its edge. */
  const moved = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    const below = scrollHeight - scrollTop - clientHeight;
    const atEnd = atNewest && below < AT_END;
    if (atEnd !== follows) view.value = atEnd ? { first: 0, follows: true } : { first: all[from]?.seq ?? 0, follows: false };
    if (scrollTop < NEAR && from > 0) windowFrom(from - STEP);
    else if (scrollTop < NEAR) visit.chat.loadOlder();
    else if (below < NEAR && !atNewest) windowFrom(Math.min(from + STEP, all.length - SIZE));
    chat.lookingIs(atEnd && document.visibilityState === 'visible');
    if (!atEnd) anchor.current = anchorOf(box.current);
  };

  useLayoutEffect(() => {
    const element = box.current;
    const newest = pending.value.at(-1)?.id ?? '';
    const said = newest && newest !== lastPending.current;
    lastPending.current = newest;
    if (said || follows) {
      if (said && !follows) view.value = { first: 0, follows: true };
      element.scrollTop = element.scrollHeight;
    } else {
      const { element: held, depth } = anchor.current;
      const by = held?.isConnected ? endOf(held) - depth : 0;
      const top = element.scrollTop;
      if (by) element.scrollTop += by; // even by nothing it would end a movement that is under way
      const owed = top + by - element.scrollTop; // at the very top there may be no room for it yet
      anchor.current = owed ? { element: held, depth: endOf(held) - owed } : anchorOf(element);
      if (element.scrollTop < NEAR && from > 0) windowFrom(from - STEP); // older ones came to one who waits at the top
    }
    if (element.scrollHeight <= element.clientHeight) visit.chat.loadOlder();
    chat.lookingIs(follows && document.visibilityState === 'visible');
  });

  useEffect(() => {
    const element = box.current;
    const observer = new ResizeObserver(() => view.peek().follows && (element.scrollTop = element.scrollHeight));
    observer.observe(element);
    observer.observe(element.querySelector('.messages')); // one of them may grow by itself
    const seen = () => chat.lookingIs(view.peek().follows && document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', seen);
    return () => {
      observer.disconnect();
      document.removeEventListener('visibilitychange', seen);
      chat.lookingIs(false);
    };
  }, []);

  // Somebody wants to see one message: it is looked for as far back as the history goes.
  useEffect(() => effect(() => {
    const id = target.value;
    if (id) find(visit, id).then((index) => {
      if (target.peek() !== id) return;
      show('');
      if (index < 0) return tell(t('messageGone'));
      batch(() => {
        view.value = { first: messages.peek()[Math.max(0, index - SIZE / 2)].seq, follows: false };
        marked.value = id;
      });
    });
  }), []);
  useLayoutEffect(() => {
    if (!marked.value) return undefined;
    const element = box.current.querySelector(`[data-message="${CSS.escape(marked.value)}"]`);
    element?.scrollIntoView({ block: 'center' });
    element?.focus({ preventScroll: true });
    anchor.current = anchorOf(box.current);
    const timer = setTimeout(() => (marked.value = ''), MARKED_MS);
    return () => clearTimeout(timer);
  }, [marked.value]);

  const me = { userId: myId.value, name: user.value?.displayName ?? '' };
  const unsent = atNewest ? pending.value.map((each) => ({ ...me, ...each, pending: true })) : [];
  const list = [...all.slice(from, to), ...unsent];
  const lineAbove = unreadFrom.value > 0 && placeOf(unreadFrom.value) < from;

  return html`
    <div class="log" ref=${box} onScroll=${moved} onKeyDown=${(event) => keyed(event, box.current)} tabindex="0" role="log"
      aria-live="off" aria-label=${t('chat')} aria-describedby="log-keys" aria-busy=${history.value === 'loading' || older.value.loading}>
      <p id="log-keys" class="unseen">${t('logKeys')}</p>
      ${from > 0 ? html`<p class="log-note" />` : html`<${Top} load=${() => visit.chat.loadOlder()} />`}
      <ol class="messages">${entries(list, all[from - 1], marked.value, visit)}</ol>
    </div>
    ${lineAbove && html`<button class="to-unread" onClick=${() => show(all[placeOf(unreadFrom.value)].id)}><${Up} />${t('toUnread')}</button>`}
    ${!follows && html`<button class="to-end" onClick=${toEnd}><${Down} />${unseen.value ? t('newMessages', { n: unseen.value }) : t('toEnd')}</button>`}
  `;
}

function Top({ load }) {
  if (history.value === 'loading') return html`<p class="log-note">${t('loading')}</p>`;
  if (history.value === 'failed') return html`<p class="log-note" role="alert">${t('historyFailed')}</p>`;
  if (older.value.loading) return html`<p class="log-note">${t('loadingOlder')}</p>`;
  if (older.value.cursor) return html`<button class="log-note quiet" onClick=${load}>${t('olderMessages')}</button>`;
  return html`<p class="log-note">${t(messages.value.length ? 'beginning' : 'noMessages')}</p>`;
}

/** The index of the first message that is not before `seq`. */
function placeOf(seq) {
  const all = messages.value;
  return firstWhere(all.length, (at) => all[at].seq >= seq);
}

/** The first place of `length` from which on it holds; `length` where it nowhere does. @param {(at: number) => boolean} holds */
function firstWhere(length, holds) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Its end: the name above it goes when somebody turns out to have said something before it. */
const endOf = (element) => element.offsetTop + element.offsetHeight;

function anchorOf(box) {
  const all = box.querySelectorAll('.message');
  const top = box.scrollTop;
  const element = all[firstWhere(all.length, (at) => endOf(all[at]) > top)];
  return { element, depth: element ? endOf(element) : 0 };
}

/** @returns {Promise<number>} its index; -1: there is no such message, or it cannot be had now */
async function find(visit, id) {
  for (;;) {
    const index = messages.peek().findIndex((message) => message.id === id);
    const { cursor } = older.peek();
    if (index >= 0 || !cursor || target.peek() !== id) return index;
    await visit.chat.loadOlder();
    if (older.peek().cursor === cursor) return -1;
  }
}

/** The arrows go from message to message; what can be done with one has a key. */
function keyed(event, box) {
  if (event.target.closest('textarea, input') || event.ctrlKey || event.metaKey || event.altKey) return;
  const li = event.target.closest('.message');
  const message = li && chat.find(li.dataset.message);
  const mine = message && message.userId === myId.value;
  const onIt = li && event.target === li;
  const act = {
    ArrowUp: () => step(li, box, -1),
    ArrowDown: () => step(li, box, 1),
    Escape: () => /** @type {HTMLElement} */ (document.querySelector('.composer textarea')).focus(),
    ...(onIt && message && !message.deleted && {
      Enter: () => openMenu(message, li),
      KeyR: () => answer(message),
      ...(mine && { KeyE: () => edit(message.id), Delete: () => askToDelete(message) }),
    }),
  }[event.code];
  if (!act) return;
  event.preventDefault();
  act();
}

function step(li, box, by) {
  const all = [...box.querySelectorAll('.message')];
  const next = li ? all[all.indexOf(li) + by] : all.at(-1);
  next?.focus();
}
