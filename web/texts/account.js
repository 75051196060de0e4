/** The sentences of the account page (../text.js). */

export const en = {
  account: 'Your account',
  profile: 'Profile',
  portraitNote: 'Your planet is drawn from your name, here in the browser.',
  saved: 'Saved.',
  confirmEmail: 'Confirm it',
  changePassword: 'Password',
  currentPassword: 'Current password',
  passwordChanged: 'Your password has been changed. All other devices are logged out.',
  sessions: 'Where you are logged in',
  thisDevice: 'this device',
  lastSeen: 'last seen {time}',
  endSessionOf: 'Log out on {device}',
  logoutHere: 'Log out here',
  logoutEverywhere: 'Log out everywhere',
  eraseAccount: 'Delete the account',
  eraseWarning: 'This cannot be undone. Your messages stay in their rooms, without your name.',
  eraseForGood: 'Delete for good',

  'error.PASSWORD_WRONG': 'The current password is wrong.',
  'error.SESSION_NOT_FOUND': 'This session has already ended.',
};

/** @type {typeof en} */
export const ru = {
  account: 'Ваш аккаунт',
  profile: 'Профиль',
  portraitNote: 'Ваша планета собрана из вашего имени прямо в браузере.',
  saved: 'Сохранено.',
  confirmEmail: 'Подтвердить',
  changePassword: 'Пароль',
  currentPassword: 'Текущий пароль',
  passwordChanged: 'Пароль изменён. На остальных устройствах вы вышли из аккаунта.',
  sessions: 'Где вы вошли',
  thisDevice: 'это устройство',
  lastSeen: 'последний раз {time}',
  endSessionOf: 'Выйти на устройстве: {device}',
  logoutHere: 'Выйти здесь',
  logoutEverywhere: 'Выйти везде',
  eraseAccount: 'Удалить аккаунт',
  eraseWarning: 'Вернуть его будет нельзя. Сообщения останутся в комнатах, но без вашего имени.',
  eraseForGood: 'Удалить навсегда',

  'error.PASSWORD_WRONG': 'Текущий пароль неверен.',
  'error.SESSION_NOT_FOUND': 'Этот вход уже закончился.',
};
