/**
 * The REST API: one function a route, errors as ApiError, the access token renewed when it must be.
 */
import * as tokens from './tokens.js';

const TIMEOUT_MS = 15_000;
/** The doctor tries each way until it is sure. */
const FINDINGS_MS = 70_000;

/** What the server refused, in its own words (application/problem+json). */
export class ApiError extends Error {
  /** @param {number} status @param {any} problem */
  constructor(status, problem) {
    super(problem?.detail || problem?.title || `HTTP ${status}`);
    this.status = status;
    /** @type {string} stable, upper snake case */
    this.code = problem?.code ?? 'UNKNOWN';
    /** @type {Record<string, string>} field name → sentence */
    this.fields = Object.fromEntries((problem?.errors ?? []).map(({ field, message }) => [field, message]));
  }
}

/** The server could not be reached, or took too long. */
export class Unreachable extends Error {}

export const register = (email, displayName, password, invite) =>
  signIn('/auth/register', { email, displayName, password, invite: invite || undefined });
export const login = (email, password) => signIn('/auth/login', { email, password });

/** A letter with a link, if there is an account with this address; nobody learns whether there is. */
export const forgot = (email) => request('POST', '/auth/forgot', { email });
export const askToVerify = (email) => request('POST', '/auth/verify', { email });
/** What the links in letters lead to. */
export const reset = (token, password) => request('POST', '/auth/reset', { token, password });
export const verify = (token) => request('POST', '/auth/verify', { token });

/** Ends the session on the server where it can be reached, and here in any case. */
export async function logout() {
  await call('POST', '/auth/logout').catch(() => {});
  tokens.forget();
}

export const me = () => call('GET', '/auth/me');
/** For administrators. @returns {Promise<{items: {about: string, state: 'well' | 'odd' | 'wrong', said: string, todo: string | null}[]}>} */
export const serverFindings = () => call('GET', '/doctor/findings', undefined, { timeout: FINDINGS_MS });
export const changeName = (displayName) => call('PATCH', '/auth/me', { displayName });
export const changePassword = (currentPassword, newPassword) => call('POST', '/auth/password', { currentPassword, newPassword });
export const eraseAccount = (password) => call('DELETE', '/auth/me', { password });
export const sessions = () => call('GET', '/auth/sessions');
export const endSession = (id) => call('DELETE', `/auth/sessions/${encodeURIComponent(id)}`);
export const endAllSessions = () => call('DELETE', '/auth/sessions');

export const listRooms = (cursor = '', q = '') => call('GET', `/rooms?${query({ limit: 50, cursor, q })}`);
export const createRoom = (name, max, topic, visibility) => call('POST', '/rooms', { name, max, topic, visibility });
export const getRoom = (id) => call('GET', room(id));
export const joinRoom = (id) => call('POST', `${room(id)}/join`);
/** @param {string} id @param {object} settings those that change */
export const changeRoom = (id, settings) => call('PATCH', room(id), settings);
export const deleteRoom = (id) => call('DELETE', room(id));
export const participants = (id) => call('GET', `${room(id)}/participants`);
/** @param {string} action mute, unmute, kick, ban, unban, role */
export const moderate = (id, userId, action, more) => call('POST', `${room(id)}/participants/${userId}/${action}`, more);
export const bans = (id) => call('GET', `${room(id)}/bans`);
export const invites = (id) => call('GET', `${room(id)}/invites`);
export const makeInvite = (id, expiresIn, maxUses) =>
  call('POST', `${room(id)}/invites`, { expires_in: expiresIn, max_uses: maxUses || undefined });
export const revokeInvite = (id, code) => call('DELETE', `${room(id)}/invites/${code}`);
export const acceptInvite = (code) => call('POST', `/invites/${encodeURIComponent(code)}/accept`);
/** @param {'start' | 'pause' | 'stop'} action @param {number} [focus] seconds @param {number} [rest] seconds */
export const setTimer = (id, action, focus, rest) => call('PUT', `${room(id)}/timer`, { action, focus_s: focus, break_s: rest });
/** Goes on after the page. */
export const leaveRoom = (id) => call('POST', `${room(id)}/leave`, undefined, { keepalive: true });
export const chat = (id, after, limit) => call('GET', `${room(id)}/chat?${query({ limit, after })}`);
export const searchChat = (id, q, after = '') => call('GET', `${room(id)}/chat?${query({ limit: 20, q, after })}`);

/** @type {Promise<{ws_url: string}> | undefined} */
let config;
export function getConfig() {
  config ??= request('GET', '/config.json').catch((error) => {
    config = undefined;
    throw error;
  });
  return config;
}

async function signIn(path, body) {
  const session = await request('POST', path, body);
  tokens.keep(session);
  return session.user;
}

/** A call by the signed-in user; on 401 once more with another token. */
async function call(method, path, body, more) {
  const token = await usable(tokens.fresh());
  try {
    return await request(method, path, body, token, more);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    return request(method, path, body, await usable(tokens.renew(token)), more);
  }
}

/** @param {Promise<string>} token */
async function usable(token) {
  try {
    return await token;
  } catch (error) {
    throw error instanceof tokens.SignedOut ? error : new Unreachable();
  }
}

async function request(method, path, body, token, more) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, {
      ...more,
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(more?.timeout ?? TIMEOUT_MS),
    });
  } catch {
    throw new Unreachable();
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, answer);
  return answer;
}

const room = (id) => `/rooms/${encodeURIComponent(id)}`;

/** A query string of what is not empty. */
function query(values) {
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ''));
}
