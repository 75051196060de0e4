/** Who is here: one planet each, ringed while they speak. */
import { html } from '../html.js';
import { muted, myId, people, slots, speaking, speakingMyself, voice } from '../state.js';
import { t } from '../text.js';
import { computed } from '../vendor/signals-core.js';
import { Avatar } from './avatar.js';
import { MicrophoneOff } from './icons.js';

const heard = computed(() => new Set(slots.value.values()));
/** With a slot to spare, everybody in voice has one: who has none is not in voice. */
const allHeard = computed(() => voice.value === 'on' && heard.value.has(null));

export function People() {
  return html`
    <section class="people" aria-label=${t('people')}>
      <ul>
        ${people.value.map((person) => html`<${Person} key=${person.id} person=${person} />`)}
      </ul>
    </section>
  `;
}

function Person({ person }) {
  const mine = person.id === myId.value;
  const silent = mine ? muted.value : person.muted;
  const speaks = !silent && person.maySpeak && (mine ? speakingMyself.value : speaking.value.has(person.id));
  const away = mine ? voice.value !== 'on' : allHeard.value && !heard.value.has(person.id);
  const status = speaks ? 'speaking' : silent ? mutedText(person) : away ? 'notInVoice' : person.maySpeak ? null : 'listens';
  return html`
    <li class=${`person${speaks ? ' speaks' : ''}${away ? ' away' : ''}`} data-user=${person.id}>
      <span class="ring">
        <${Avatar} id=${person.id} name=${person.name} />
        ${silent && html`<span class="badge"><${MicrophoneOff} /></span>`}
      </span>
      <span class="name"><bdi>${person.name}</bdi>${mine && html` <small>${t('you')}</small>`}</span>
      <span class="status">${status && t(status)}</span>
    </li>
  `;
}

const mutedText = (person) => (person.mutedBy === 'moderator' ? 'mutedByModerator' : 'mutedState');
