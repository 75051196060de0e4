/** The sentences of the study timer (../text.js). */

export const en = {
  studyTimer: 'Study timer',
  studyFocus: 'Focus',
  studyBreak: 'Break',
  studyPaused: 'Paused',
  studyForAll: { one: 'You have the room to yourself: it runs for whoever comes in, too.', other: 'It runs for all {n} people here, to the same second.' },
  studyRound: 'round {n}',
  studyLengths: 'Lengths',
  studyLength: '{focus} minutes of focus, {rest} of break',
  focusMinutes: 'Focus, minutes',
  breakMinutes: 'Break, minutes',
  studyStart: 'Start',
  studyGoOn: 'Go on',
  studyPause: 'Pause',
  studyStop: 'Stop',
  quietMode: 'Quiet while we focus',
  quietModeHint: 'Your microphone goes off as a focus begins. You can turn it on again, and the chat stays.',
  focusBegins: 'Focus begins.',
  breakBegins: 'Time for a break.',
  hushed: 'We focus now: your microphone is off.',
  stillOff: 'Time for a break. Your microphone is still off: turn it on to talk.',

  'error.TIMER_STOPPED': 'The timer has been stopped already.',
};

/** @type {typeof en} */
export const ru = {
  studyTimer: 'Таймер занятий',
  studyFocus: 'Работаем',
  studyBreak: 'Перерыв',
  studyPaused: 'Пауза',
  studyForAll: { one: 'Таймер общий: у всех, кто в комнате, он идёт секунда в секунду.', other: 'Таймер общий: у всех, кто в комнате, он идёт секунда в секунду.' },
  studyRound: 'круг {n}',
  studyLengths: 'Сколько',
  studyLength: '{focus} минут работы, {rest} перерыва',
  focusMinutes: 'Работа, минут',
  breakMinutes: 'Перерыв, минут',
  studyStart: 'Начать',
  studyGoOn: 'Дальше',
  studyPause: 'Пауза',
  studyStop: 'Закончить',
  quietMode: 'Тишина, пока работаем',
  quietModeHint: 'С началом работы ваш микрофон выключается. Его можно включить снова, а чат остаётся.',
  focusBegins: 'Начинаем работать.',
  breakBegins: 'Пора сделать перерыв.',
  hushed: 'Сейчас работаем: ваш микрофон выключен.',
  stillOff: 'Перерыв. Ваш микрофон всё ещё выключен: включите его, чтобы говорить.',

  'error.TIMER_STOPPED': 'Таймер уже остановлен.',
};
