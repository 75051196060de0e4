/** The doctor: what works from this browser, part by part, and what to change where something does not. */
import * as api from '../api.js';
import { Header } from '../components/header.js';
import { Main } from '../components/main.js';
import { examine } from '../doctor/examine.js';
import { say } from '../doctor/texts.js';
import { html } from '../html.js';
import { follow } from '../router.js';
import { errorText, t } from '../text.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';

/**
 * @typedef {import('../doctor/examine.js').Finding} Finding
 * @typedef {{about: string, state: import('../doctor/examine.js').State, said: string, todo?: string | null}} Told in words
 */

const SIGNS = { well: '✓', odd: '!', wrong: '✕' };

export function DoctorPage() {
  const findings = useSignal(/** @type {Finding[]} */ ([]));
  const running = useSignal(true);
  const round = useSignal(0);
  useEffect(() => {
    const leaving = new AbortController();
    findings.value = [];
    running.value = true;
    const tell = (finding) => !leaving.signal.aborted && (findings.value = [...findings.value, finding]);
    examine(tell, leaving.signal).finally(() => !leaving.signal.aborted && (running.value = false));
    return () => leaving.abort();
  }, [round.value]);
  return html`
    <${Header}><a class="button" href="/" onClick=${follow}>${t('toRooms')}</a><//>
    <${Main} class="own-account">
      <h1>${say('title')}</h1>
      <p class="note">${say('intro')}</p>
      <${Part} found=${findings.value.map(inWords)} running=${running.value}>
        <button class="primary" disabled=${running.value} onClick=${() => (round.value += 1)}>${say('again')}</button>
      <//>
      <${Server} key=${round.value} />
    <//>
  `;
}

/** What the services find about themselves; nothing for who is no administrator. */
function Server() {
  const found = useSignal(/** @type {Told[] | null} */ (null));
  const shown = useSignal(false);
  useEffect(() => {
    let here = true;
    askServer(() => here && (shown.value = true)).then((items) => here && (found.value = items));
    return () => (here = false);
  }, []);
  if (!shown.value) return null;
  return html`
    <h2>${say('server')}</h2>
    <p class="note">${say('serverIntro')}</p>
    <${Part} found=${found.value ?? []} running=${!found.value} />
  `;
}

/** @param {() => void} begins the visitor may know @returns {Promise<Told[]>} */
async function askServer(begins) {
  try {
    if (!(await api.me()).administrator) return [];
    begins();
    return (await api.serverFindings()).items;
  } catch (error) {
    return [{ about: say('server'), state: 'wrong', said: errorText(error.code ?? 'UNREACHABLE', error.message) }];
  }
}

/** @param {{found: Told[], running: boolean, children?: any}} props */
function Part({ found, running, children }) {
  const copied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(found.map(line).join('\n'));
    copied.value = true;
  };
  return html`
    <section class="card part" aria-busy=${running}>
      <p role="status"><b>${summary(found, running)}</b></p>
      <ul class="sessions">${found.map((each) => html`<${Item} key=${each.about + each.said} finding=${each} />`)}</ul>
      <div class="row">
        ${children}
        ${navigator.clipboard && html`<button disabled=${running} onClick=${copy}>${say('copy')}</button>`}
        <span role="status" class="done">${!running && copied.value && say('copied')}</span>
      </div>
    </section>
  `;
}

/** @param {{finding: Told & {part?: string}}} props */
function Item({ finding: { part, about, state, said, todo } }) {
  return html`
    <li data-about=${part ?? about} data-state=${state}>
      <span>
        <b>${about}</b><br />
        ${said}
        ${todo && html`<br /><span class="note"><b>${say('toDo')}:</b> ${todo}</span>`}
      </span>
      <span class=${state === 'well' ? 'chip' : 'chip wrong'}>${SIGNS[state]} ${say(state)}</span>
    </li>
  `;
}

/** @param {Finding} finding @returns {Told & {part: string}} */
function inWords({ about, state, said, todo, values }) {
  return { part: about, about: say(about), state, said: say(said, values), todo: todo && say(todo, values) };
}

/** @param {Told[]} found @param {boolean} running */
function summary(found, running) {
  if (running) return say('running');
  if (found.some(({ state }) => state === 'wrong')) return say('someWrong');
  return say(found.some(({ state }) => state === 'odd') ? 'someOdd' : 'allWell');
}

/** @param {Told} finding */
function line({ about, state, said, todo }) {
  return `${say(state)}: ${about}: ${said}${todo ? ` ${say('toDo')}: ${todo}` : ''}`;
}
