/** What the server refused, for a form. */
import { ApiError } from './api.js';
import { errorText, fieldText, language } from './text.js';

export const NO_PROBLEM = { text: '', fields: {} };

/** What went wrong, beside its field where it belongs to one. */
export function explain(error) {
  if (!(error instanceof ApiError)) return { text: errorText('UNREACHABLE', ''), fields: {} };
  const fields = Object.fromEntries(
    Object.entries(error.fields).map(([field, said]) => [field, passwordText(field, said) ?? fieldText(field, said)]),
  );
  return { text: Object.keys(fields).length ? '' : errorText(error.code, error.message), fields };
}

/** Passwords are refused for several reasons, and only the server knows which. */
function passwordText(field, said) {
  if (field !== 'password' && field !== 'newPassword') return undefined;
  if (language.value === 'ru') return RUSSIAN[said];
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
}

// What the server says of passwords, word for word.
const RUSSIAN = {
  'is a few characters over and over; choose another one': 'Это одни и те же знаки подряд; выберите другой.',
  'is one of the passwords that everybody tries first; choose another one':
    'Такие пароли пробуют первыми; выберите другой.',
  'is made of your e-mail, your name or the name of this site; choose another one':
    'Он составлен из вашей почты, имени или названия сайта; выберите другой.',
};
