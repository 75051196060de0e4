/** What the server refused, for a form. */
import { ApiError } from './api.js';
import { errorText } from './text.js';

export const NO_PROBLEM = { text: '', fields: {} };

/** What went wrong, beside its field where it belongs to one. */
export function explain(error) {
  if (!(error instanceof ApiError)) return { text: errorText('UNREACHABLE', ''), fields: {} };
  const fields = Object.fromEntries(Object.entries(error.fields).map(([field, said]) => [field, sentence(said)]));
  return { text: Object.keys(fields).length ? '' : errorText(error.code, error.message), fields };
}

const sentence = (said) => `${said.charAt(0).toUpperCase()}${said.slice(1)}.`.replace(/\.\.$/, '.');
