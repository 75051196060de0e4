/** The address bar: `/` the rooms, `/login` the door, `/r/{id}` a room. */
import { signal } from './vendor/signals-core.js';

/** @typedef {{page: 'rooms' | 'login' | 'room' | 'lost', roomId?: string, next?: string}} Route */

export const route = signal(read());

/** @param {string} path */
export function navigate(path, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
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
  const { pathname, search } = location;
  if (pathname === '/') return { page: 'rooms' };
  if (pathname === '/login') return { page: 'login', next: localPath(new URLSearchParams(search).get('next')) };
  const room = /^\/r\/([\w-]+)\/?$/.exec(pathname);
  return room ? { page: 'room', roomId: room[1] } : { page: 'lost' };
}

/** Only a path of this site: `next` comes from the address and may be anybody's. */
function localPath(next) {
  return next && /^\/[^/\\]/.test(next) ? next : '/';
}

addEventListener('popstate', () => (route.value = read()));
