// Put into each page before its own scripts: an ear at the page's audio elements, and its peer connections.
// Everything waits for what it is asked for and says what it found instead when it gives up.
(() => {
  const GIVE_UP_MS = 15_000;
  const AUDIBLE = 0.003;
  const peers = [];
  let gap = 0;
  let gapTimer = 0;
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...given) {
      super(...given);
      peers.push(this);
    }
  };

  let context;
  const analysers = new WeakMap();

  function analyserOf(element) {
    const track = element.srcObject.getAudioTracks()[0];
    if (!analysers.has(track)) {
      context ??= new AudioContext();
      const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      analysers.set(track, analyser);
    }
    return analysers.get(track);
  }

  /** What each slot sounds like now: the loudest frequency, and the peak of the last 40 ms. */
  function listen() {
    return Array.from(document.querySelectorAll('audio[data-mid]'), (element) => {
      const analyser = analyserOf(element);
      const spectrum = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(spectrum);
      const bin = spectrum.reduce((best, level, at) => (level > spectrum[best] ? at : best), 0);
      const wave = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(wave);
      const peak = wave.slice(-2048).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      return { mid: element.dataset.mid, hertz: (bin * context.sampleRate) / analyser.fftSize, peak };
    });
  }

  /**
   * The same of one slot without a sound card, where Firefox runs no AudioContext: record what comes, decode
   * it, and listen to that off line.
   */
  async function record(track, ms) {
    const recorder = new MediaRecorder(new MediaStream([track]));
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const stopped = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.start();
    setTimeout(() => recorder.stop(), ms);
    await stopped;
    const bytes = await new Blob(parts).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(bytes);
    const offline = new OfflineAudioContext(1, sound.length, 48_000);
    const analyser = new AnalyserNode(offline, { fftSize: 8192, smoothingTimeConstant: 0 });
    const source = new AudioBufferSourceNode(offline, { buffer: sound });
    source.connect(analyser).connect(offline.destination);
    source.start();
    await offline.startRendering();
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(spectrum);
    const bin = spectrum.reduce((best, level, at) => (level > spectrum[best] ? at : best), 0);
    const peak = sound.getChannelData(0).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    return { hertz: (bin * 48_000) / analyser.fftSize, peak };
  }

  function until(look, what) {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const timer = setInterval(() => {
        const found = look();
        const given = performance.now() - began > GIVE_UP_MS;
        if (!found && !given) return;
        clearInterval(timer);
        if (found) resolve(found);
        else reject(new Error(`${what}; heard ${JSON.stringify(listen())}, peers ${peers.map((pc) => pc.connectionState)}`));
      }, 20);
    });
  }

  window.ear = {
    peers,
    listen,
    /** The first slot with a tone within `width` Hz of `hertz`. */
    hears: (hertz, width) =>
      until(() => listen().find(({ hertz: found, peak }) => peak > AUDIBLE && Math.abs(found - hertz) < width), `no ${hertz} Hz`),
    /** Nothing in any slot for as long as `ms`. */
    hearsNothing(ms) {
      let since = performance.now();
      return until(() => {
        if (listen().some(({ peak }) => peak > AUDIBLE)) since = performance.now();
        return performance.now() - since > ms;
      }, 'not silent');
    },
    /** Recordings of the slot that sounds, until one `suits` ({hertz, peak}). */
    async records(suits) {
      const began = performance.now();
      let heard;
      while (performance.now() - began < GIVE_UP_MS) {
        const tracks = Array.from(document.querySelectorAll('audio[data-mid]'), ({ srcObject }) => srcObject.getAudioTracks()[0]);
        const sounding = tracks.find(({ muted }) => !muted) ?? tracks[0];
        heard = await record(sounding, 400);
        if (suits(heard)) return heard;
      }
      throw new Error(`heard ${JSON.stringify(heard)}`);
    },
    /** From now on, the longest time without a packet of anybody; `longestGap` says it, in ms. */
    watchGap() {
      let newest = 0;
      let changed = performance.now();
      gap = 0;
      clearInterval(gapTimer);
      gapTimer = setInterval(() => {
        const now = performance.now();
        const receivers = peers.flatMap((pc) => (pc.signalingState === 'closed' ? [] : pc.getReceivers()));
        const heard = Math.max(0, ...receivers.flatMap((each) => each.getSynchronizationSources()).map((each) => each.timestamp));
        gap = Math.max(gap, now - changed);
        if (heard > newest) [newest, changed] = [heard, now];
      }, 5);
    },
    longestGap: () => gap,
    /** Inbound totals of the live connection, once it has received `packets`. */
    async inbound(packets) {
      const began = performance.now();
      for (;;) {
        const totals = await window.ear.totals();
        if (totals.received >= packets || performance.now() - began > GIVE_UP_MS) return totals;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async totals() {
      const report = await peers.at(-1).getStats();
      const streams = [...report.values()].filter(({ type }) => type === 'inbound-rtp');
      const sum = (name) => streams.reduce((total, stream) => total + (stream[name] ?? 0), 0);
      return { received: sum('packetsReceived'), lost: sum('packetsLost'), concealed: sum('concealedSamples') };
    },
  };
})();
