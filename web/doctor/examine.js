/**
 * What works from this browser: the page, the API, the websocket, and each way of a voice by itself.
 *
 * The ways are tried as people go them: in a room of one's own, private and deleted afterwards, with a real offer.
 * The answer names a candidate for each way; of each connection all but one kind are left out.
 */
import * as api from '../api.js';
import { Socket } from '../socket.js';
import { locale } from '../text.js';
import { isAddressOfAll, waysOf } from './ways.js';

/**
 * @typedef {'well' | 'odd' | 'wrong'} State
 * @typedef {import('./texts.js').Key} Key
 * @typedef {{about: Key, state: State, said: Key, todo?: Key, values?: Record<string, string | number>}} Finding
 */

const ROOM = '⚕';
const APART_S = 5;
const HELLO_MS = 10_000;
const ANSWER_MS = 10_000;
const WAY_MS = 8_000;

/** @param {(finding: Finding) => void} tell each as soon as it is known @param {AbortSignal} signal */
export async function examine(tell, signal) {
  tell(secure());
  tell(await microphone());
  for (const finding of await overHttp()) tell(finding);
  if (signal.aborted) return;
  let room;
  try {
    room = await ownRoom();
  } catch (error) {
    tell(wrong('api', 'apiWrong', 'apiWrongDo', { said: error.message }));
    return;
  }
  try {
    await inRoom(room.id, tell, signal);
  } finally {
    api.deleteRoom(room.id).catch(() => {}); // the next visit finds it
  }
}

/** @returns {Finding} */
function secure() {
  if (isSecureContext) return well('page', 'pageSecure', { scheme: location.protocol.slice(0, -1) });
  return wrong('page', 'pageInsecure', 'pageInsecureDo');
}

/** @returns {Promise<Finding>} */
async function microphone() {
  if (!navigator.mediaDevices) return wrong('microphone', 'micNone', isSecureContext ? 'noWebrtcDo' : 'pageInsecureDo');
  const asked = { name: /** @type {PermissionName} */ ('microphone') };
  const permission = await navigator.permissions?.query(asked).catch(() => null);
  if (permission?.state === 'denied') return wrong('microphone', 'micDenied', 'micDeniedDo');
  if (permission?.state === 'granted') return well('microphone', 'micGranted');
  return well('microphone', permission ? 'micPrompt' : 'micUnknown');
}

/** @returns {Promise<Finding[]>} */
async function overHttp() {
  const began = performance.now();
  try {
    const answer = await fetch('/readyz', { cache: 'no-store', signal: AbortSignal.timeout(HELLO_MS) });
    const ms = Math.round(performance.now() - began);
    const body = await answer.json();
    if (!answer.ok) return [wrong('api', 'apiWrong', 'apiWrongDo', { said: body.detail ?? answer.status })];
    const parts = (body.degraded ?? []).map(({ message }) => odd('api', 'apiPart', 'apiPartDo', { said: message }));
    return parts.length ? parts : [well('api', 'apiWell', { ms })];
  } catch (error) {
    return [wrong('api', 'apiWrong', 'apiWrongDo', { said: error.message })];
  }
}

/** A room that nobody else sees; of an earlier visit that was cut short, or a new one. */
async function ownRoom() {
  const { items } = await api.listRooms('', ROOM);
  const left = items.find(({ name, role }) => name === ROOM && role === 'owner');
  const room = left ?? (await api.createRoom(ROOM, 1, '', 'private'));
  await api.joinRoom(room.id);
  return room;
}

async function inRoom(roomId, tell, signal) {
  const began = performance.now();
  /** @type {(hello: any) => void} */
  let greet;
  /** @type {(why: Error) => void} */
  let fail;
  const hello = new Promise((resolve, reject) => ([greet, fail] = [resolve, reject]));
  const answers = new Map();
  const socket = new Socket(roomId, {
    frame: ({ type, id, payload }) => {
      if (type === 'hello') greet(payload);
      if (type === 'answer') answers.get(id)?.resolve(payload);
      if (type === 'error') answers.get(id)?.reject(new Error(payload.code));
    },
    status: (status, code, reason) => (status === 'waiting' || status === 'closed') && fail(new Error(reason || `${code || 'closed'}`)),
  });
  const stop = () => socket.close();
  signal.addEventListener('abort', stop);
  try {
    const greeting = await within(hello, HELLO_MS);
    const took = performance.now() - began;
    tell(well('websocket', 'websocketWell', { ms: Math.round(took) }));
    tell(clocks(greeting.server_time_ms));
    await voices(socket, answers, greeting.ice_servers ?? [], tell, signal);
  } catch (error) {
    if (!signal.aborted) tell(wrong('websocket', 'websocketWrong', 'websocketWrongDo', { said: error.message }));
  } finally {
    signal.removeEventListener('abort', stop);
    socket.close();
  }
}

/** @returns {Finding} */
function clocks(serverMs) {
  const seconds = Math.abs(Date.now() - serverMs) / 1000;
  if (seconds > APART_S) return odd('clock', 'clockOdd', 'clockOddDo', { s: Math.round(seconds) });
  return well('clock', 'clockWell', { s: new Intl.NumberFormat(locale.value, { maximumFractionDigits: 1 }).format(Math.max(0.1, seconds)) });
}

async function voices(socket, answers, iceServers, tell, signal) {
  if (!globalThis.RTCPeerConnection) return tell(wrong('udp', 'noWebrtc', 'noWebrtcDo'));
  const relays = iceServers.filter(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
  let told = false;
  for (const way of /** @type {const} */ (['udp', 'tcp', 'turn'])) {
    if (signal.aborted) return;
    if (way === 'turn' && !relays.length) {
      tell(well('turn', 'turnNone'));
      continue;
    }
    const configuration = way === 'turn' ? { iceServers: relays, iceTransportPolicy: /** @type {const} */ ('relay') } : {};
    const pc = new RTCPeerConnection({ ...configuration, bundlePolicy: 'max-bundle' });
    try {
      const sdp = await offered(pc, socket, answers, way);
      const ways = waysOf(sdp);
      if (!told) tell(addresses(ways.hosts));
      told = true;
      const ms = await connects(pc, ways.only(way === 'turn' ? 'udp' : way));
      if (ms !== null) tell(ms === undefined ? well(way, 'wayOpen') : well(way, 'wayWell', { ms: Math.max(1, Math.round(ms)) }));
      else tell((way === 'turn' ? wrong : odd)(way, `${way}Wrong`, `${way}WrongDo`, { port: ways.port }));
    } catch (error) {
      tell(wrong(way, 'noAnswer', 'noAnswerDo', { said: error.message }));
    } finally {
      pc.close();
    }
  }
}

/** The server's answer to an offer of this connection. */
async function offered(pc, socket, answers, way) {
  pc.addTransceiver('audio', { direction: 'sendonly' });
  pc.addTransceiver('audio', { direction: 'recvonly' });
  await pc.setLocalDescription();
  const answer = new Promise((resolve, reject) => answers.set(way, { resolve, reject }));
  socket.send('offer', { sdp: pc.localDescription.sdp }, way);
  return (await within(answer, ANSWER_MS)).sdp;
}

/** @returns {Promise<number | undefined | null>} milliseconds there and back, undefined where the browser does not say; null where it does not connect */
async function connects(pc, sdp) {
  const connected = new Promise((resolve, reject) => {
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === 'connected') resolve();
      if (pc.connectionState === 'failed') reject(new Error('failed'));
    };
  });
  try {
    await pc.setRemoteDescription({ type: 'answer', sdp });
    await within(connected, WAY_MS);
  } catch {
    return null;
  }
  for (const each of (await pc.getStats()).values()) {
    if (each.type === 'candidate-pair' && each.state === 'succeeded' && each.currentRoundTripTime !== undefined) return each.currentRoundTripTime * 1000;
  }
  return undefined;
}

/** @returns {Finding} */
function addresses(hosts) {
  const said = hosts.join(', ');
  const here = isAddressOfAll(location.hostname) || /\.\w\w+$/.test(location.hostname);
  if (here && !hosts.some(isAddressOfAll)) return odd('addresses', 'addressesOdd', 'addressesOddDo', { hosts: said });
  return well('addresses', 'addressesWell', { hosts: said });
}

function within(promise, ms) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`> ${ms / 1000} s`)), ms));
  return Promise.race([promise, late]);
}

/** @returns {Finding} */
const well = (about, said, values) => ({ about, state: 'well', said, values });
/** @returns {Finding} */
const odd = (about, said, todo, values) => ({ about, state: 'odd', said, todo, values });
/** @returns {Finding} */
const wrong = (about, said, todo, values) => ({ about, state: 'wrong', said, todo, values });
