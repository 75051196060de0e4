/** What one is about to say: what of it goes out, and what is kept until it does. */

const LONGEST = 4000; // code points, as the protocol counts
/** Comes with what is pasted from a terminal, shows nothing, and no server takes it. */
const UNPRINTABLE = /(?![\n\t])\p{Cc}|\p{Cs}/gu;

/** The message in what was typed, and by how much it is too long. @param {string} typed */
export function prepared(typed) {
  const message = typed.replace(UNPRINTABLE, '').trim();
  const excess = Array.from(message).length - LONGEST;
  return { message, excess, ready: message !== '' && excess <= 0 };
}

const keyOf = (roomId) => `cwrk.draft.${roomId}`;

/** @param {string} roomId */
export const kept = (roomId) => sessionStorage.getItem(keyOf(roomId)) ?? '';

/** @param {string} roomId @param {string} typed */
export function keep(roomId, typed) {
  if (typed) sessionStorage.setItem(keyOf(roomId), typed);
  else sessionStorage.removeItem(keyOf(roomId));
}
