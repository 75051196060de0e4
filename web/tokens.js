/**
 * The signed-in session, in localStorage, and its renewal.
 *
 * Refresh tokens are rotated at each use, so two renewals at once would sign everybody out. One runs at a
 * time: across the calls of this tab by `flight`, across tabs by a Web Lock. A page on an insecure origin
 * has no Web Locks; there, the one who loses the race takes over what the winner has stored.
 *
 * @typedef {{id: number, email: string, emailVerified?: boolean, displayName: string, avatarUrl?: string}} User
 * @typedef {{accessToken: string, refreshToken: string, expiresAt: number, lifetime: number, user: User}} Session
 */

const KEY = 'cwrk.session';
const TIMEOUT_MS = 10_000;
const RETRY_MS = 5_000;

/** Nobody is signed in (any more). */
export class SignedOut extends Error {}

/** @type {Set<(session: Session | null) => void>} */
const listeners = new Set();
/** @type {Promise<string> | null} */
let flight = null;
let timer = 0;

/** @returns {Session | null} */
export function current() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

/** Called with the session after each change, made by this tab or another. @returns a function that stops it */
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Keep what register, login and refresh answer. */
export function keep({ accessToken, refreshToken, expiresIn, user }) {
  const lifetime = expiresIn * 1000;
  // Measured by this machine's clock alone, so a clock that is wrong does no harm.
  save({ accessToken, refreshToken, lifetime, expiresAt: Date.now() + lifetime, user });
}

/** One has changed it. @param {User} user */
export function userIs(user) {
  const session = current();
  if (session) save({ ...session, user });
}

export function forget() {
  localStorage.removeItem(KEY);
  changed();
}

/** An access token that lives for a while yet. @returns {Promise<string>} */
export async function fresh() {
  const session = current();
  if (!session) throw new SignedOut();
  return Date.now() < renewalTime(session) ? session.accessToken : renew(session.accessToken);
}

/** Another access token in the place of `stale`. @param {string} stale @returns {Promise<string>} */
export function renew(stale) {
  flight ??= locked(() => exchange(stale)).finally(() => (flight = null));
  return flight;
}

/** Renew ahead of time for as long as the page lives, and follow the other tabs. */
export function start() {
  addEventListener('storage', (event) => event.key === KEY && changed());
  addEventListener('online', schedule);
  schedule();
}

async function exchange(stale) {
  const held = current();
  if (!held) throw new SignedOut();
  if (held.accessToken !== stale) return held.accessToken; // another tab was quicker
  const response = await fetch('/auth/refresh', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ refreshToken: held.refreshToken }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.ok) {
    keep({ ...(await response.json()), user: held.user });
    return current().accessToken;
  }
  if (![400, 401, 403, 422].includes(response.status)) throw new Error(`renewal answered ${response.status}`);
  const now = current();
  if (now && now.refreshToken !== held.refreshToken) return now.accessToken;
  forget();
  throw new SignedOut();
}

function locked(work) {
  return navigator.locks ? navigator.locks.request(KEY, work) : work();
}

/** When to renew: a minute before the end, or after four fifths of a short life. @param {Session} session */
function renewalTime({ expiresAt, lifetime }) {
  return expiresAt - Math.min(60_000, lifetime / 5);
}

function schedule() {
  clearTimeout(timer);
  const session = current();
  if (!session) return;
  const wait = Math.min(Math.max(0, renewalTime(session) - Date.now()), 2 ** 31 - 1);
  timer = setTimeout(renewNow, wait);
}

async function renewNow() {
  try {
    await fresh();
    schedule(); // the timer may have been a little early
  } catch (error) {
    if (error instanceof SignedOut) return;
    clearTimeout(timer);
    timer = setTimeout(renewNow, RETRY_MS);
  }
}

/** @param {Session} session */
function save(session) {
  localStorage.setItem(KEY, JSON.stringify(session));
  changed();
}

function changed() {
  schedule();
  const session = current();
  for (const listener of listeners) listener(session);
}
