/** The keys of a room: M the microphone, D the ears, H the hand, and the one that is held to talk. */
import { preferences } from '../preferences.js';
import { barred, canSpeak, deafened, me, muted, voice } from '../state.js';
import { t } from '../text.js';

const WRITING = 'input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]';
/** What a press of the space bar or Enter belongs to. */
const PRESSED = 'a, button, input, summary, [role=menuitem]';

/** @param {import('../visit.js').RoomVisit} visit @returns {() => void} stops it */
export function listenToKeys(visit) {
  /** What has the focus since a click has no need of the space bar; what the Tab key went to has. */
  let tabbed = false;
  let held = false;

  const commands = {
    KeyM: () => canSpeak.value && !barred.value && inVoice() && visit.mute(!muted.value),
    KeyD: () => inVoice() && visit.deafen(!deafened.value),
    KeyH: () => visit.raiseHand(!me.value?.handRaisedAt),
  };

  const isTalkKey = (event) => preferences.value.pushToTalk && event.code === preferences.value.talkKey && inVoice();

  const down = (event) => {
    if (event.key === 'Tab') tabbed = true;
    const on = event.target instanceof Element ? event.target : document.body;
    if (event.ctrlKey || event.metaKey || event.altKey || on.closest(WRITING) || on.closest('dialog')) return;
    if (isTalkKey(event) && !(tabbed && on.closest(PRESSED))) {
      event.preventDefault();
      if (!held) visit.talk((held = true));
    } else if (!event.repeat) {
      commands[event.code]?.();
    }
  };
  const up = (event) => {
    if (!held || event.code !== preferences.value.talkKey) return;
    event.preventDefault(); // a button that has the focus is not pressed by it
    release();
  };
  const release = () => {
    if (held) visit.talk((held = false));
  };
  const pointed = () => (tabbed = false);

  const heard = { keydown: down, keyup: up, blur: release, pointerdown: pointed };
  for (const [name, listener] of Object.entries(heard)) addEventListener(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(heard)) removeEventListener(name, listener);
  };
}

const inVoice = () => voice.value !== 'off' && voice.value !== 'elsewhere';

/** As it stands on the key: KeyV is V. @param {string} code */
export const keyName = (code) => (code === 'Space' ? t('space') : code.replace(/^(Key|Digit)/, '').replace(/([a-z])([A-Z])/g, '$1 $2'));
