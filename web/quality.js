/** A connection's figures as a grade and as words. */
import { percent, t } from './text.js';

/** @typedef {'good' | 'fair' | 'poor'} Grade */
/** @typedef {{rttMs: number | null, loss: number, jitterMs: number, mos: number}} Quality */

/** Of my own voice, as the server measures it. @param {Quality} quality @returns {Grade} */
export const gradeOf = ({ mos }) => (mos >= 3.9 ? 'good' : mos >= 3.2 ? 'fair' : 'poor');

/** What is worst, in words; nothing where all is well. @param {Quality} quality */
export function whyOf(quality) {
  const { rttMs, loss, jitterMs } = quality;
  if (gradeOf(quality) === 'good') return t('linkGood');
  if (loss >= 0.02) return t('linkLoss', { n: percent(loss) });
  if (rttMs !== null && rttMs > 250) return t('linkFar', { n: rttMs });
  if (jitterMs > 30) return t('linkUneven', { n: jitterMs });
  return t('linkLoss', { n: percent(loss) });
}

/** Of somebody else's voice, by the share of it that is missing here. @param {number} missing @returns {Grade} */
export const receptionGrade = (missing) => (missing < 0.03 ? 'good' : missing < 0.1 ? 'fair' : 'poor');

/** @param {number} missing */
export function receptionText(missing) {
  const grade = receptionGrade(missing);
  return t(grade === 'good' ? 'heardWell' : grade === 'fair' ? 'heardFair' : 'heardPoor', { n: percent(missing) });
}
