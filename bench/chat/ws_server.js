// A chat server as a user of `ws` would write it: what one says goes to all the others.
'use strict';
const { WebSocketServer, WebSocket } = require('ws');

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]), perMessageDeflate: false });
let count = 0;

server.on('connection', (socket) => {
  const userId = ++count;
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => {
    const said = JSON.parse(data);
    const frame = JSON.stringify({
      type: 'chat',
      payload: { user_id: userId, message: said.message, ts: Date.now() },
    });
    for (const client of server.clients) {
      if (client !== socket && client.readyState === WebSocket.OPEN) client.send(frame);
    }
  });
});
