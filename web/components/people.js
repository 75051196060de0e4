/** Who is here: one planet each, ringed while they speak, and the hands that are raised, in their order. */
import { html } from '../html.js';
import { hands, microphoneOpen, muted, mutedByWhom, myId, people, reactions, reception, slots, speaking, speakingMyself, voice } from '../state.js';
import { receptionGrade } from '../quality.js';
import { t } from '../text.js';
import { useLayoutEffect, useRef } from '../vendor/preact-hooks.js';
import { computed, effect } from '../vendor/signals-core.js';
import { useComputed } from '../vendor/signals.js';
import { Avatar } from './avatar.js';
import { Hand, MicrophoneOff, Signal, Star } from './icons.js';
import { PersonCard, cardOf } from './person_card.js';
import { Popup } from './popup.js';

const heard = computed(() => new Set(slots.value.values()));
/** With a slot to spare, everybody in voice has one: who has none is not in voice. */
const allHeard = computed(() => voice.value === 'on' && heard.value.has(null));

/** How much wider than the ring the loudest voice is, and in how many steps it gets there. */
const HALO = 0.22;
const STEPS = 8;

/** @param {{visit: import('../visit.js').RoomVisit}} props */
export function People({ visit }) {
  return html`
    <section class="people" aria-label=${t('people')}>
      <${Hands} />
      <ul>
        ${people.value.map((person) => html`<${Person} key=${person.id} person=${person} visit=${visit} />`)}
      </ul>
    </section>
  `;
}

/** Whose turn it is. */
function Hands() {
  if (!hands.value.length) return null;
  return html`
    <div class="hands">
      <${Hand} /><span class="unseen">${t('hands')}</span>
      <ol>${hands.value.map(({ id, name }) => html`<li key=${id}><bdi>${name}</bdi></li>`)}</ol>
    </div>
  `;
}

/** What may change ten times a second is asked for one by one, so that nobody else is drawn anew. */
function Person({ person, visit }) {
  const { id } = person;
  const mine = id === myId.value;
  const silent = mine ? muted.value : person.muted;
  const level = useComputed(() => (id !== myId.value ? (speaking.value.get(id) ?? -1) : microphoneOpen.value ? speakingMyself.value : -1));
  const heardNow = useComputed(() => level.value >= 0).value;
  const halo = useRef(/** @type {HTMLElement | null} */ (null));
  // How loud one is changes this one property and draws nobody anew: to read a whole style costs a slow phone three times that.
  useLayoutEffect(() => effect(() => {
    halo.current.style.transform = `scale(${1 + (HALO * Math.ceil(STEPS * Math.max(0, level.value))) / STEPS})`;
  }), []);
  const away = useComputed(() => (id === myId.value ? voice.value !== 'on' : allHeard.value && !heard.value.has(id))).value;
  const grade = useComputed(() => receptionGrade(reception.value.get(id) ?? 0)).value;
  const turn = useComputed(() => hands.value.findIndex((each) => each.id === id) + 1).value;
  const shown = useComputed(() => reactions.value.get(id)).value;
  const speaks = !silent && person.maySpeak && heardNow;
  const status = speaks ? t('speaking') : silent ? mutedText(person) : away ? t('notInVoice') : person.maySpeak ? '' : t('listens');
  const kind = `person${speaks ? ' speaks' : ''}${away ? ' away' : ''}${mine ? ' mine' : ''}`;
  return html`
    <li class=${kind} data-user=${id}>
      <button class="planet-button" popovertarget=${cardOf(id)} aria-haspopup="dialog">
        <span class="ring">
          <i class="halo" ref=${halo} />
          <${Avatar} id=${id} name=${person.name} />
          ${silent && html`<span class="badge"><${MicrophoneOff} /></span>`}
          ${turn > 0 && html`<span class="badge raised" aria-label=${t('handNumber', { n: turn })} role="img"><${Hand} /><b aria-hidden="true">${turn}</b></span>`}
          ${shown && html`<span class="reacted" key=${shown} aria-hidden="true">${shown.emoji}</span>`}
        </span>
        <span class="name"><${Role} role=${person.role} /><bdi>${person.name}</bdi>${mine && html` <small>${t('you')}</small>`}</span>
        <span class="status">
          ${!speaks && grade !== 'good' && html`<span class=${`signal ${grade}`} role="img" aria-label=${t(`heard.${grade}`)} title=${t(`heard.${grade}`)}><${Signal} /></span>`}
          ${status}
        </span>
      </button>
      <${Popup} id=${cardOf(id)} label=${person.name}>${() => html`<${PersonCard} person=${person} visit=${visit} />`}<//>
    </li>
  `;
}

function Role({ role }) {
  if (role !== 'owner' && role !== 'moderator') return null;
  return html`<span class=${`mark ${role}`} role="img" aria-label=${t(`mark.${role}`)} title=${t(`mark.${role}`)}><${Star} /></span>`;
}

/** By whom, where that is known. */
export function mutedText({ id, mutedBy }) {
  if (mutedBy !== 'moderator') return t('mutedState');
  const by = people.value.find((each) => each.id === mutedByWhom.value.get(id));
  return by ? t('mutedBy', { name: by.name }) : t('mutedByModerator');
}
