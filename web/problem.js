/** What the server refused, for a form. */
import { ApiError } from './api.js';
import { errorText, language } from './text.js';

export const NO_PROBLEM = { text: '', fields: {} };

/** What went wrong, beside its field where it belongs to one. */
export function explain(error) {
  if (!(error instanceof ApiError)) return { text: errorText('UNREACHABLE', ''), fields: {} };
  const fields = Object.fromEntries(Object.entries(error.fields).map(([field, said]) => [field, sentence(said)]));
  return { text: Object.keys(fields).length ? '' : errorText(error.code, error.message), fields };
}

function sentence(said) {
  const told = (language.value === 'ru' && RUSSIAN[said]) || said;
  return `${told.charAt(0).toUpperCase()}${told.slice(1)}.`.replace(/\.\.$/, '.');
}

// What the server says of fields that people fill in at the door, word for word.
const RUSSIAN = {
  'is needed': 'нужно заполнить',
  'is not an e-mail address': 'это не адрес почты',
  'must not have control characters': 'не должно быть управляющих знаков',
  'must have a visible character': 'нужен хотя бы один видимый знак',
  'must be at least 8 characters long': 'не меньше 8 знаков',
  'is a few characters over and over; choose another one': 'это одни и те же знаки подряд; выберите другой',
  'is one of the passwords that everybody tries first; choose another one':
    'такие пароли пробуют первыми; выберите другой',
  'is made of your e-mail, your name or the name of this site; choose another one':
    'он составлен из вашей почты, имени или названия сайта; выберите другой',
};
