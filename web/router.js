/**
 * The address bar: `/` the rooms, `/account` one's own account, `/doctor` what works from here, `/login` the door, `/r/{id}` a room, `/invite/{code}` the way into one; `/forgot`
 * asks for a letter, `/reset` and `/verify` are where the links in letters lead, with a token after the `#`.
 */
import { signal } from './vendor/signals-core.js';

/**
 * @typedef {'forgot' | 'reset' | 'verify'} LetterPage
 * @typedef {{page: 'rooms' | 'account' | 'doctor' | 'login' | 'room' | 'invite' | 'lost' | LetterPage, roomId?: string, code?: string, next?: string, invite?: string, token?: string, visit?: number}} Route
 */

/** Opening the same link once more is another visit, though the address is the same. */
let visits = 0;

export const route = signal(read());

/** Whether one has gone from page to page since the first one was loaded. */
export const hasMoved = () => moves > 0;
let moves = 0;

/** @param {string} path */
export function navigate(path, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  moved();
}

function moved() {
  moves += 1;
  route.value = read();
}

/** Follow a link without loading the page anew, unless a new tab or window is asked for. */
export function follow(event) {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(event.currentTarget.getAttribute('href'));
}

/** The door, from which the user comes back to where they wanted to go. */
export function loginPath() {
  const here = location.pathname;
  return here === '/' || here === '/login' ? '/login' : `/login?next=${encodeURIComponent(here)}`;
}

/** @returns {Route} */
function read() {
  const { pathname, search, hash } = location;
  if (pathname === '/') return { page: 'rooms' };
  if (pathname === '/account') return { page: 'account' };
  if (pathname === '/doctor') return { page: 'doctor' };
  if (pathname === '/login') {
    const query = new URLSearchParams(search);
    return { page: 'login', next: localPath(query.get('next')), invite: query.get('invite') ?? '' };
  }
  const letter = /^\/(forgot|reset|verify)$/.exec(pathname);
  if (letter) return { page: /** @type {LetterPage} */ (letter[1]), token: token(hash), visit: ++visits };
  const code = /^\/invite\/([\w-]+)\/?$/.exec(pathname);
  if (code) return { page: 'invite', code: code[1] };
  const room = /^\/r\/([\w-]+)\/?$/.exec(pathname);
  return room ? { page: 'room', roomId: room[1] } : { page: 'lost' };
}

/** The token of a link, which leaves the address bar, so that it is in no history and no screenshot. */
function token(hash) {
  const found = new URLSearchParams(hash.slice(1)).get('token') ?? '';
  if (found) history.replaceState(null, '', location.pathname);
  return found;
}

/** Only a path of this site: `next` comes from the address and may be anybody's. */
function localPath(next) {
  return next && /^\/[^/\\]/.test(next) ? next : '/';
}

addEventListener('popstate', moved);
