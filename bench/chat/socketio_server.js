// A chat server as a user of `socket.io` would write it: what one says goes to all the others.
'use strict';
const { Server } = require('socket.io');

const io = new Server(Number(process.argv[2]), { transports: ['websocket'], perMessageDeflate: false });
let count = 0;

io.on('connection', (socket) => {
  const userId = ++count;
  socket.on('chat', (said) => {
    socket.broadcast.emit('chat', { user_id: userId, message: said.message, ts: Date.now() });
  });
});
