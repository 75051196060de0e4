/** The doctor: what works from this browser, part by part, and what to change where something does not. */
import { Header } from '../components/header.js';
import { Main } from '../components/main.js';
import { examine } from '../doctor/examine.js';
import { say } from '../doctor/texts.js';
import { html } from '../html.js';
import { follow } from '../router.js';
import { t } from '../text.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';

/** @typedef {import('../doctor/examine.js').Finding} Finding */

const SIGNS = { well: '✓', odd: '!', wrong: '✕' };

export function DoctorPage() {
  const findings = useSignal(/** @type {Finding[]} */ ([]));
  const running = useSignal(true);
  const copied = useSignal(false);
  const round = useSignal(0);
  useEffect(() => {
    const leaving = new AbortController();
    findings.value = [];
    running.value = true;
    copied.value = false;
    const tell = (finding) => !leaving.signal.aborted && (findings.value = [...findings.value, finding]);
    examine(tell, leaving.signal).finally(() => !leaving.signal.aborted && (running.value = false));
    return () => leaving.abort();
  }, [round.value]);
  const copy = async () => {
    await navigator.clipboard.writeText(findings.value.map(line).join('\n'));
    copied.value = true;
  };
  return html`
    <${Header}><a class="button" href="/" onClick=${follow}>${t('toRooms')}</a><//>
    <${Main} class="own-account">
      <h1>${say('title')}</h1>
      <p class="note">${say('intro')}</p>
      <section class="card part" aria-busy=${running.value}>
        <p role="status"><b>${summary(findings.value, running.value)}</b></p>
        <ul class="sessions">${findings.value.map((each) => html`<${Item} key=${each.about + each.said} finding=${each} />`)}</ul>
        <div class="portrait">
          <button class="primary" disabled=${running.value} onClick=${() => (round.value += 1)}>${say('again')}</button>
          ${navigator.clipboard && html`<button disabled=${running.value} onClick=${copy}>${say('copy')}</button>`}
          <span role="status" class="done">${copied.value && say('copied')}</span>
        </div>
      </section>
    <//>
  `;
}

function Item({ finding }) {
  const { about, state, said, todo, values } = finding;
  return html`
    <li data-about=${about} data-state=${state}>
      <span>
        <b>${say(about)}</b><br />
        ${say(said, values)}
        ${todo && html`<br /><span class="note"><b>${say('toDo')}:</b> ${say(todo, values)}</span>`}
      </span>
      <span class=${state === 'well' ? 'chip' : 'chip wrong'}>${SIGNS[state]} ${say(state)}</span>
    </li>
  `;
}

/** @param {Finding[]} findings @param {boolean} running */
function summary(findings, running) {
  if (running) return say('running');
  if (findings.some(({ state }) => state === 'wrong')) return say('someWrong');
  return say(findings.some(({ state }) => state === 'odd') ? 'someOdd' : 'allWell');
}

/** @param {Finding} finding */
function line({ about, state, said, todo, values }) {
  return `${say(state)}: ${say(about)}: ${say(said, values)}${todo ? ` ${say('toDo')}: ${say(todo, values)}` : ''}`;
}
