// node werift_sfu.js PORT HOST: a forwarding server on werift.
"use strict";
const http = require("node:http");
const { MediaStreamTrack, RTCPeerConnection, useAudioLevelIndication, useOPUS, useSdesMid } = require("werift");

const [port, host] = process.argv.slice(2);
const rooms = new Map();

/** One speaker's packets go to one slot of one listener. */
function connect(speaker, listener) {
  const slot = speaker.voice && listener.slots.shift();
  if (slot) speaker.voice.onReceiveRtp.subscribe((packet) => slot.sendRtp(packet));
}

async function enter({ room: name, user, speaks, sdp }) {
  const connection = new RTCPeerConnection({
    codecs: { audio: [useOPUS({ payloadType: 111 })] },
    headerExtensions: { audio: [useAudioLevelIndication(), useSdesMid()] },
    iceLite: true,
    iceServers: [],
    iceUseIpv6: false,
    iceAdditionalHostAddresses: [host],
  });
  await connection.setRemoteDescription({ type: "offer", sdp });
  const [voice, ...slots] = connection.getTransceivers();
  for (const slot of slots) {
    slot.setDirection("sendonly");
    slot.sender.registerTrack(new MediaStreamTrack({ kind: "audio" }));
  }
  await connection.setLocalDescription(await connection.createAnswer());
  const newcomer = {
    connection,
    voice: speaks ? voice.receiver.track : null,
    slots: slots.map((slot) => slot.sender),
  };
  const room = rooms.get(name) ?? new Map();
  rooms.set(name, room);
  for (const other of room.values()) {
    connect(other, newcomer);
    connect(newcomer, other);
  }
  room.set(user, newcomer);
  return { sdp: connection.localDescription.sdp };
}

async function leave({ room, user }) {
  await rooms.get(room).get(user).connection.close();
  rooms.get(room).delete(user);
  return {};
}

http
  .createServer(async (request, response) => {
    try {
      const asked = JSON.parse(Buffer.concat(await request.toArray()));
      response.end(JSON.stringify(await (request.url === "/enter" ? enter : leave)(asked)));
    } catch (error) {
      response.writeHead(500).end(error.stack);
    }
  })
  .listen(Number(port), "127.0.0.1");
