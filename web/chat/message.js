/** Messages as the page has them, from a frame of the websocket or an item of the history. */

/** @typedef {import('./state.js').Message} Message */

/** A replayed message comes as it is now: edited, or deleted and without its text. @returns {Message} */
export function messageOfFrame(payload, seq) {
  const { msg_id: id, user_id: userId, display_name: name, message: text, ts_unix: at, deleted } = payload;
  const editedAt = (payload.edited_at_unix ?? 0) * 1000;
  return { id, seq, userId, name, text, at: at * 1000, editedAt, deleted, replyTo: payload.reply_to ?? '', reactions: [] };
}

/** @returns {Message} */
export function messageOfItem(item) {
  const { id, seq, user_id: userId, display_name: name, text, created_at: at, edited_at: editedAt, deleted } = item;
  const reactions = (item.reactions ?? []).map(({ emoji, user_ids: userIds }) => ({ emoji, userIds: userIds.map(String) }));
  const times = { at: Date.parse(at), editedAt: editedAt ? Date.parse(editedAt) : 0 };
  return { id, seq, userId: String(userId), name, text: text ?? '', ...times, deleted, replyTo: item.reply_to ?? '', reactions };
}
