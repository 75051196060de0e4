/** The sentences of the study timer (../text.js). */

export const en = {};

/** @type {typeof en} */
export const ru = {};
