/**
 * Voice: the one owner of the peer connection.
 *
 * One offer a connection, with one sending m-line and SLOTS receiving ones; the server's answer holds every
 * candidate. Whose voice a receiving m-line carries comes in `slots` frames, so nobody's joining or leaving
 * needs another offer. When the network changes, or the path dies, the connection asks for another path (an
 * ICE restart); only when there is none, or the server has lost it, a fresh connection is made.
 */
import { backOff } from './backoff.js';
import { cue } from './cues.js';
import { lookAtDevices, watchDevices } from './devices.js';
import { microphoneGranted, openMicrophone, watchLevel, whenGranted } from './microphone.js';
import { watchPath } from './path.js';
import { watchReception } from './reception.js';
import { Speaker } from './speaker.js';
import * as state from './state.js';
import { t } from './text.js';
import * as timing from './timing.js';
import { effect } from './vendor/signals-core.js';

const SLOTS = 9;
const ANSWER_MS = 10_000;
/** A path that is not found by then needs a new connection. */
const RESTART_MS = 4_000;
const ATTACH = 'voice-attach';
const ATTACH_AGAIN_MS = 1_000;
/** What browsers take for somebody's wish to hear: of a touch its end, so no pointerdown. */
const GESTURES = ['click', 'keydown'];
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 10_000;

export class Voice {
  /** @type {RTCPeerConnection | null} */
  #pc = null;
  /** @type {RTCRtpSender | null} */
  #sender = null;
  /** @type {MediaStreamTrack | null} */
  #track = null;
  /** @type {AudioContext | null} */
  #context = null;
  #speaker = new Speaker();
  #stopWatching = () => {};
  #stopWatchingPath = () => {};
  #stopWatchingReception = () => {};
  #stopWatchingDevices = watchDevices({
    microphoneCame: () => this.#wanted && state.microphone.value === 'missing' && this.openMicrophone(),
    outputGone: (name) => this.#wanted && state.outputGoneIs(name),
  });
  /** Allowed after all, beside the address: nobody has to try again by hand. */
  #stopWaiting = whenGranted(() => this.#wanted && state.microphone.value === 'refused' && this.openMicrophone());
  #stopOpening = effect(() => this.#open(state.microphoneOpen.value));
  /** Whether the talk was interrupted when one last heard of it. */
  #interrupted = false;
  #stopCues = effect(() => this.#cue(state.interrupted.value));
  /** Changes with each microphone that is asked for, so that only the last one is taken. */
  #openings = 0;
  #send;
  #voiceId = '';
  #offers = 0;
  #attempts = 0;
  #timer = 0;
  #wanted = false;
  /** Another path was asked for, and has not been found yet. */
  #restarting = false;
  #network = navigator.connection?.type;
  /** @type {RTCIceServer[]} */
  iceServers = [];

  /** @param {(type: string, payload: object, id?: string) => boolean} send false: there is no connection now */
  constructor(send) {
    this.#send = send;
    addEventListener('online', this.#moved);
    navigator.connection?.addEventListener('change', this.#networkChanged);
  }

  /** Call from a click: then the browser lets sound out. */
  async join() {
    timing.clicked();
    this.#wanted = true;
    this.#attempts = 0;
    state.voiceIs('connecting');
    this.#context ??= new AudioContext({ latencyHint: 'interactive' });
    this.#context.resume();
    for (const gesture of GESTURES) addEventListener(gesture, this.#acted); // where nobody has clicked yet, sound waits for it
    const microphone = this.openMicrophone();
    // A browser names all its network interfaces only to a page that may use the microphone. With the
    // permission there already the two go side by side; else the user's answer comes first.
    if (!(await microphoneGranted())) await microphone;
    if (this.#wanted) await this.#negotiate();
  }

  leave() {
    this.#stop('off');
  }

  close() {
    this.leave();
    removeEventListener('online', this.#moved);
    navigator.connection?.removeEventListener('change', this.#networkChanged);
    this.#stopWatchingDevices();
    this.#stopWaiting();
    for (const gesture of GESTURES) removeEventListener(gesture, this.#acted);
    this.#stopOpening();
    this.#stopCues();
    this.#speaker.remove();
  }

  /**
   * Also the way on after a refusal, once the user has changed their mind or found a microphone; and to another one,
   * or the same one set otherwise. The one there was is used until the other is there; but where only its setting
   * changes it is let go first (`afresh`): Chromium opens no microphone in two ways at once.
   */
  async openMicrophone({ afresh = false } = {}) {
    const opening = ++this.#openings;
    const before = this.#track;
    if (afresh) this.#letGo();
    if (!before) state.microphoneIs('asking');
    const { track, status } = await openMicrophone();
    if (!this.#wanted || opening !== this.#openings) return track?.stop();
    lookAtDevices(); // now they have names
    if (track) {
      state.microphoneIs(track.muted ? 'held' : 'ok');
      this.#speakWith(track);
    } else if (before?.readyState === 'live') {
      state.tell(t('micKept', { name: before.label }));
    } else {
      this.#closeMicrophone();
      state.microphoneIs(status);
    }
  }

  unblock() {
    this.#context?.resume();
    this.#speaker.unblock();
  }

  /** The websocket is back: adopt the media that still run, or start over. */
  reconnected() {
    if (!this.#wanted) return;
    const connection = this.#pc?.connectionState;
    if (!this.#voiceId || connection === 'failed') this.#negotiate();
    else if (connection === 'connected' && !this.#restarting) {
      this.#send('voice_attach', { voice_id: this.#voiceId }, ATTACH);
    } else this.#restart();
  }

  async answered({ sdp, slots, voice_id: voiceId }, id) {
    const pc = this.#pc;
    if (!pc || id !== this.#offerId()) return;
    clearTimeout(this.#timer);
    timing.answered();
    // The voice we wanted to go on with has ended meanwhile; this one's server does not know our keys.
    if (this.#restarting && voiceId !== this.#voiceId) return this.#negotiate();
    if (this.#restarting && pc.connectionState !== 'connected') {
      this.#timer = setTimeout(() => this.#again(), RESTART_MS);
    }
    this.#restarting = false;
    this.#voiceId = voiceId;
    state.slotsAre(slots);
    // Taken in order by the browser, even if it is still busy with the offer.
    await pc.setRemoteDescription({ type: 'answer', sdp }).catch(() => pc === this.#pc && this.#again());
  }

  lost({ voice_id: voiceId, reason }) {
    if (!this.#wanted || voiceId !== this.#voiceId) return;
    if (reason === 'taken_over') this.#stop('elsewhere');
    else this.#again();
  }

  /** @returns {boolean} whether the error was about an offer of ours */
  refused(id, { retryable }) {
    if (id === ATTACH && this.#wanted) {
      // The voice runs on meanwhile; only who is in which slot is not heard of.
      if (retryable) setTimeout(() => this.reconnected(), ATTACH_AGAIN_MS);
      else this.#again();
      return true;
    }
    if (!this.#wanted || id !== this.#offerId()) return false;
    if (retryable || this.#restarting) {
      this.#again();
    } else {
      this.#stop('off');
      state.tell(t('voiceRefused'));
    }
    return true;
  }

  #offerId() {
    return `offer-${this.#offers}`;
  }

  async #negotiate() {
    this.#closePeer();
    const pc = this.#openPeer();
    const offer = await pc.createOffer();
    if (pc !== this.#pc) return;
    this.#offers += 1;
    timing.offered();
    const sent = this.#send('offer', { sdp: offer.sdp }, this.#offerId());
    // Without a connection nothing is lost: `reconnected` starts over.
    if (sent) this.#timer = setTimeout(() => this.#again(), ANSWER_MS);
    await pc.setLocalDescription(offer);
  }

  #moved = () => this.#voiceId && !this.#restarting && this.#restart();

  /** Also said when the network is only as quick as it was not before. */
  #networkChanged = () => {
    const before = this.#network;
    this.#network = navigator.connection.type;
    if (this.#network !== before) this.#moved();
  };

  /** The same connection by another path. The old one is used as long as it holds. */
  async #restart() {
    const pc = this.#pc;
    clearTimeout(this.#timer);
    this.#restarting = true;
    pc.setConfiguration(this.#configuration()); // the TURN credentials of now
    pc.restartIce();
    await pc.setLocalDescription();
    if (pc !== this.#pc) return;
    this.#offers += 1;
    const sent = this.#send('offer', { sdp: pc.localDescription.sdp }, this.#offerId());
    if (sent) this.#timer = setTimeout(() => this.#again(), ANSWER_MS);
  }

  /** @returns {RTCConfiguration} */
  #configuration() {
    return { iceServers: this.iceServers, bundlePolicy: 'max-bundle' };
  }

  #openPeer() {
    const pc = new RTCPeerConnection(this.#configuration());
    this.#pc = pc;
    this.#stopWatchingPath = watchPath(pc, state.somebodyIsHeard, () => this.#moved());
    this.#stopWatchingReception = watchReception(pc, state.receptionIs);
    pc.ontrack = ({ track, transceiver }) => this.#receive(track, transceiver.mid);
    pc.onconnectionstatechange = () => this.#connectionChanged(pc.connectionState);
    this.#sender = pc.addTransceiver(this.#track ?? 'audio', { direction: 'sendonly' }).sender;
    for (let slot = 0; slot < SLOTS; slot += 1) pc.addTransceiver('audio', { direction: 'recvonly' });
    return pc;
  }

  #receive(track, mid) {
    this.#speaker.add(mid, track);
    track.addEventListener('unmute', () => timing.watchForSound(this.#context, track));
  }

  #connectionChanged(connection) {
    if (connection === 'connected') {
      if (!this.#restarting) clearTimeout(this.#timer);
      timing.connected();
      this.#attempts = 0;
      state.voiceIs('on');
    } else if (connection === 'disconnected') {
      state.voiceIs('lost');
      if (!this.#restarting) this.#restart();
    } else if (connection === 'failed') {
      this.#again();
    }
  }

  /** The media path is gone: offer anew, after a while that grows. */
  #again() {
    state.voiceEnded('lost');
    this.#closePeer();
    this.#timer = setTimeout(() => this.#negotiate(), backOff(this.#attempts++, FIRST_WAIT_MS, LONGEST_WAIT_MS));
  }

  /** The microphone is silent here; the server drops what is said as well. @param {boolean} open */
  #open(open) {
    if (this.#track) this.#track.enabled = open;
  }

  /** Anything one does on the page will do, not the button for it alone. */
  #acted = () => {
    this.#context?.resume();
    if (state.soundBlocked.value) this.#speaker.unblock();
  };

  #cue(interrupted) {
    if (interrupted === this.#interrupted) return;
    this.#interrupted = interrupted;
    if (this.#wanted) cue(interrupted ? 'lost' : 'back');
  }

  /** In the place of the one there was, without a gap. @param {MediaStreamTrack} track */
  #speakWith(track) {
    const before = this.#track;
    this.#stopWatching();
    this.#track = track;
    const heard = track.clone(); // one may look at the meter while one is muted
    this.#open(state.microphoneOpen.value);
    track.onended = () => this.#unplugged(track);
    track.onmute = () => track === this.#track && state.microphoneIs('held');
    track.onunmute = () => track === this.#track && state.microphoneIs('ok');
    // A peer closed meanwhile gets the track anew.
    Promise.resolve(this.#sender?.replaceTrack(track)).catch(() => {}).finally(() => before?.stop());
    const stopWatching = watchLevel(this.#context, heard, state.heardMyself);
    this.#stopWatching = () => {
      stopWatching();
      heard.stop();
    };
    state.microphoneNameIs(track.label);
  }

  /** Another one is taken where there is one. */
  async #unplugged({ label }) {
    await this.openMicrophone();
    if (state.microphone.value === 'ok' && this.#track) state.tell(t('micSwitched', { gone: label, name: this.#track.label }));
  }

  #stop(status) {
    this.#wanted = false;
    this.#closePeer();
    this.#closeMicrophone();
    this.#openings += 1;
    // It would go on working in silence, and keep every microphone it ever listened to.
    this.#context?.close();
    this.#context = null;
    state.outputGoneIs('');
    state.microphoneIs('ok');
    state.voiceEnded(status);
  }

  #closePeer() {
    clearTimeout(this.#timer);
    this.#stopWatchingPath();
    this.#stopWatchingReception();
    this.#restarting = false;
    this.#voiceId = '';
    this.#speaker.clear();
    if (this.#pc) this.#pc.onconnectionstatechange = null;
    this.#pc?.close();
    this.#pc = this.#sender = null;
  }

  #letGo() {
    this.#stopWatching();
    this.#track?.stop();
  }

  #closeMicrophone() {
    this.#letGo();
    this.#track = null;
    state.microphoneNameIs('');
    state.heardMyself(0, false);
  }
}
