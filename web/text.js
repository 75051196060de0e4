/**
 * Every sentence of the page, in English and Russian. The browser's language decides until the user does.
 * A value with plural forms is an object by the categories of Intl.PluralRules; `{n}` picks among them.
 */
import * as account from './texts/account.js';
import * as chat from './texts/chat.js';
import * as room from './texts/room.js';
import * as rooms from './texts/rooms.js';
import * as study from './texts/study.js';
import * as voice from './texts/voice.js';
import { computed, signal } from './vendor/signals-core.js';

const en = {
  ...account.en,
  ...chat.en,
  ...room.en,
  ...rooms.en,
  ...study.en,
  ...voice.en,

  tagline: 'Study together, wherever you are.',
  otherLanguage: 'Русский',
  skip: 'Skip to the content',
  you: 'you',
  retry: 'Try again',
  cancel: 'Cancel',
  close: 'Close',
  loading: 'Loading …',
  nothingHere: 'There is nothing here',
  nothingHereHint: 'There is no page at this address. It may be mistyped, or what was here is gone.',
  toRooms: 'To the rooms',

  login: 'Log in',
  register: 'Create an account',
  logout: 'Log out',
  email: 'E-mail',
  password: 'Password',
  displayName: 'Your name',
  displayNameHint: 'As the others will see it.',
  passwordHint: 'At least 8 characters.',
  newHere: 'New here?',
  forgot: 'Forgot your password?',
  forgotTitle: 'A new password',
  forgotIntro: 'We will send you a link by e-mail. It opens a page where you choose a new password.',
  sendLetter: 'Send the link',
  letterSent: 'If there is an account with this address, an e-mail is on its way. The link in it works once, for one hour.',
  resetTitle: 'Choose a new password',
  newPassword: 'New password',
  setPassword: 'Set the password',
  passwordSet: 'The new password is set, and you are logged out everywhere. Log in with it.',
  verifyTitle: 'Your e-mail',
  verifying: 'One moment …',
  verified: 'Your e-mail is confirmed. Thank you!',
  verifyIntro: 'We will send you a link by e-mail. Open it to confirm that the address is yours.',
  backToLogin: 'Back to log in',
  goOn: 'Go on',
  haveAccount: 'Have an account?',
  invited: 'You are invited to a room. Log in or create an account, and you are in it.',

  'error.UNREACHABLE': 'The server cannot be reached. Are you online?',
  'error.INVALID_CREDENTIALS': 'The e-mail or the password is wrong.',
  'error.EMAIL_TAKEN': 'There is an account with this e-mail already.',
  'error.TOO_MANY_ATTEMPTS': 'Too many attempts. Wait a little, then try again.',
  'error.ACCOUNT_DISABLED': 'This account has been disabled.',
  'error.REGISTRATION_CLOSED': 'Nobody can register here.',
  'error.INVITE_NEEDED': 'An invite is needed to register here. Ask whoever runs this place.',
  'error.INVITE_INVALID': 'This invite is not valid, or no longer valid. Ask for a new one.',
  'error.MAIL_TOKEN_INVALID': 'This link is not valid, or no longer valid. Ask for a new one.',
  'error.ROOM_FULL': 'This room is full. Somebody has to leave first.',
  'error.NOT_FOUND': 'There is no such room, or it is gone.',
  'error.ROOM_NOT_FOUND': 'There is no such room, or it is gone.',
  'error.ROOM_LOCKED': 'This room is locked: nobody new can come in just now.',
  'error.KICKED': 'A moderator has sent you out of this room.',
  'error.BANNED': 'You are banned from this room.',
  'error.ROOM_DELETED': 'This room has been deleted.',
  'error.FORBIDDEN': 'You cannot enter this room.',
  'error.INVALID_FIELDS': 'The server does not accept this.',
  'error.MUTED_BY_MODERATOR': 'A moderator has muted you.',
  'error.NOT_A_MEMBER': 'You are no longer in this room.',
  'error.NOT_SAVED': 'This could not be saved. Try again in a moment.',
  'error.PASSWORDS_BUSY': 'Too many people are logging in just now. Try again in a moment.',
  'error.RATE_LIMITED': 'That was too much at once. Try again in a moment.',
  'error.SESSION_ENDED': 'You have been logged out. Log in again.',
  'error.TIMEOUT': 'The server did not answer in time. Try again.',
  'error.UNAVAILABLE': 'This does not work just now. Try again in a moment.',
  'error.UNKNOWN': 'Something went wrong. Try again in a moment.',
  'error.4000': 'The server did not understand this page. Reload it.',
  'error.4001': 'You have been logged out. Log in again.',
  'error.4003': 'You are no longer in this room.',
  'error.4004': 'This room is gone.',

  'field.email': 'This is not an e-mail address.',
  'field.displayName': 'A name needs 1 to 64 visible characters.',
  'field.password': 'A password needs at least 8 characters, and at most 1024 bytes.',
  'field.name': 'A name needs 1 to 100 visible characters.',
  'field.topic': 'A topic can have up to 500 visible characters.',
  'field.max': 'A room can have 1 to 500 seats.',
  'field.other': 'The server does not accept this.',
};

/** @type {typeof en} */
const ru = {
  ...account.ru,
  ...chat.ru,
  ...room.ru,
  ...rooms.ru,
  ...study.ru,
  ...voice.ru,

  tagline: 'Учимся вместе, где бы вы ни были.',
  otherLanguage: 'English',
  skip: 'К содержанию',
  you: 'вы',
  retry: 'Ещё раз',
  cancel: 'Отмена',
  close: 'Закрыть',
  loading: 'Загрузка…',
  nothingHere: 'Здесь ничего нет',
  nothingHereHint: 'Такого адреса нет. Может быть, в нём потерялась буква или то, что здесь было, удалили.',
  toRooms: 'К комнатам',

  login: 'Войти',
  register: 'Создать аккаунт',
  logout: 'Выйти',
  email: 'Электронная почта',
  password: 'Пароль',
  displayName: 'Ваше имя',
  displayNameHint: 'Так вас увидят другие.',
  passwordHint: 'Не меньше 8 знаков.',
  newHere: 'Впервые здесь?',
  forgot: 'Забыли пароль?',
  forgotTitle: 'Новый пароль',
  forgotIntro: 'Пришлём на почту ссылку: по ней можно выбрать новый пароль.',
  sendLetter: 'Отправить письмо',
  letterSent: 'Если аккаунт с этим адресом есть, письмо уже в пути. Ссылка в нём действует один раз, в течение часа.',
  resetTitle: 'Выберите новый пароль',
  newPassword: 'Новый пароль',
  setPassword: 'Сохранить пароль',
  passwordSet: 'Новый пароль сохранён. Вы вышли на всех устройствах; войдите с ним.',
  verifyTitle: 'Ваша почта',
  verifying: 'Минуту…',
  verified: 'Адрес подтверждён. Спасибо!',
  verifyIntro: 'Пришлём на почту ссылку: откройте её, чтобы подтвердить, что это ваш адрес.',
  backToLogin: 'Ко входу',
  goOn: 'Дальше',
  haveAccount: 'Уже есть аккаунт?',
  invited: 'Вас приглашают в комнату. Войдите или создайте аккаунт — и вы в ней.',

  'error.UNREACHABLE': 'Сервер недоступен. Есть ли интернет?',
  'error.INVALID_CREDENTIALS': 'Неверная почта или пароль.',
  'error.EMAIL_TAKEN': 'Аккаунт с этой почтой уже есть.',
  'error.TOO_MANY_ATTEMPTS': 'Слишком много попыток. Подождите немного и попробуйте ещё раз.',
  'error.ACCOUNT_DISABLED': 'Этот аккаунт отключён.',
  'error.REGISTRATION_CLOSED': 'Здесь нельзя зарегистрироваться.',
  'error.INVITE_NEEDED': 'Чтобы зарегистрироваться, нужно приглашение. Попросите его у того, кто содержит этот сервер.',
  'error.INVITE_INVALID': 'Это приглашение не действует (или уже не действует). Попросите новое.',
  'error.MAIL_TOKEN_INVALID': 'Эта ссылка не действует (или уже не действует). Попросите новое письмо.',
  'error.ROOM_FULL': 'В комнате нет мест. Подождите, пока кто-нибудь уйдёт.',
  'error.NOT_FOUND': 'Такой комнаты нет (или уже нет).',
  'error.ROOM_NOT_FOUND': 'Такой комнаты нет (или уже нет).',
  'error.ROOM_LOCKED': 'Комната закрыта: сейчас никто новый не войдёт.',
  'error.KICKED': 'Модератор удалил вас из этой комнаты.',
  'error.BANNED': 'Вам закрыт вход в эту комнату.',
  'error.ROOM_DELETED': 'Эту комнату удалили.',
  'error.FORBIDDEN': 'В эту комнату вам нельзя.',
  'error.INVALID_FIELDS': 'Сервер этого не принимает.',
  'error.MUTED_BY_MODERATOR': 'Модератор выключил вам микрофон.',
  'error.NOT_A_MEMBER': 'Вас больше нет в этой комнате.',
  'error.NOT_SAVED': 'Не получилось сохранить. Попробуйте чуть позже.',
  'error.PASSWORDS_BUSY': 'Сейчас входит слишком много людей. Попробуйте чуть позже.',
  'error.RATE_LIMITED': 'Слишком много сразу. Попробуйте чуть позже.',
  'error.SESSION_ENDED': 'Вы вышли из аккаунта. Войдите снова.',
  'error.TIMEOUT': 'Сервер не ответил вовремя. Попробуйте ещё раз.',
  'error.UNAVAILABLE': 'Сейчас это не работает. Попробуйте чуть позже.',
  'error.UNKNOWN': 'Что-то пошло не так. Попробуйте чуть позже.',
  'error.4000': 'Сервер не понял эту страницу. Загрузите её заново.',
  'error.4001': 'Вы вышли из аккаунта. Войдите снова.',
  'error.4003': 'Вас больше нет в этой комнате.',
  'error.4004': 'Этой комнаты больше нет.',

  'field.email': 'Это не адрес электронной почты.',
  'field.displayName': 'В имени должно быть от 1 до 64 видимых знаков.',
  'field.password': 'В пароле должно быть не меньше 8 знаков и не больше 1024 байт.',
  'field.name': 'В названии должно быть от 1 до 100 видимых знаков.',
  'field.topic': 'В теме может быть не больше 500 видимых знаков.',
  'field.max': 'В комнате может быть от 1 до 500 мест.',
  'field.other': 'Сервер этого не принимает.',
};

const texts = { en, ru };
const KEY = 'cwrk.language';

export const language = signal(/** @type {'en' | 'ru'} */ (chosen() ?? preferred()));
/** How dates and times are written: the browser's own way where it speaks the page's language. */
export const locale = computed(() => (navigator.languages.find((each) => each.startsWith(language.value)) ?? language.value));
/** 0.08 as it is written: 8%, 8 %. @param {number} share @param {number} [digits] */
export const percent = (share, digits = 0) => new Intl.NumberFormat(locale.value, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(share);
const plurals = computed(() => new Intl.PluralRules(language.value));

/** @param {keyof typeof en | `${string}.${string}`} key names with a dot may be made of parts @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  const found = texts[language.value][key];
  const sentence = typeof found === 'object' ? (found[plurals.value.select(Number(values.n))] ?? found.other) : found;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/**
 * A sentence for a stable error code. The server's own is English, and so it is for the English page only.
 * @param {string} code @param {string} [said] by the server
 */
export function errorText(code, said) {
  return sentenceFor(`error.${code.replace(/^\w+_UNAVAILABLE$/, 'UNAVAILABLE')}`, said, 'error.UNKNOWN');
}

/** What a field should be, when the server did not accept it. @param {string} field @param {string} [said] by the server */
export function fieldText(field, said) {
  return sentenceFor(`field.${field}`, said && `${said.charAt(0).toUpperCase()}${said.slice(1)}.`, 'field.other');
}

function sentenceFor(key, said, otherwise) {
  if (key in en) return t(/** @type {keyof typeof en} */ (key));
  return language.value === 'en' && said ? said : t(otherwise);
}

export function switchLanguage() {
  language.value = language.value === 'en' ? 'ru' : 'en';
  localStorage.setItem(KEY, language.value);
}

function chosen() {
  const kept = localStorage.getItem(KEY);
  return kept === 'en' || kept === 'ru' ? kept : null;
}

/** The first of the browser's languages that the page speaks. */
function preferred() {
  const spoken = navigator.languages.map((each) => each.slice(0, 2).toLowerCase());
  return /** @type {'en' | 'ru'} */ (spoken.find((each) => each in texts) ?? 'en');
}
