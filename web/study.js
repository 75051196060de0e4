/**
 * The study timer's arithmetic, as the protocol has it: `focus_s`, then `break_s`, over and over. All times are unix
 * milliseconds by the server's clock.
 *
 * @typedef {{state: 'stopped' | 'running' | 'paused', focus_s: number, break_s: number, started_at_ms: number,
 *            elapsed_ms: number}} Timer
 * @typedef {{name: 'focus' | 'break', remainingMs: number, lengthMs: number, round: number}} Phase
 */

/** @param {Timer | null} timer @param {number} now @returns {Phase | null} null: it is stopped */
export function phaseAt(timer, now) {
  if (!timer || timer.state === 'stopped') return null;
  const focusMs = timer.focus_s * 1000;
  const cycleMs = focusMs + timer.break_s * 1000;
  const elapsed = timer.state === 'running' ? Math.max(0, now - timer.started_at_ms) : timer.elapsed_ms;
  const into = elapsed % cycleMs;
  const round = Math.floor(elapsed / cycleMs) + 1;
  return into < focusMs
    ? { name: 'focus', remainingMs: focusMs - into, lengthMs: focusMs, round }
    : { name: 'break', remainingMs: cycleMs - into, lengthMs: timer.break_s * 1000, round };
}

/** As a clock shows what is left: what has begun counts. @param {number} ms */
export function clockOf(ms) {
  const seconds = Math.ceil(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (number) => String(number).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
