/** The sentences of the account page (../text.js). */

export const en = {};

/** @type {typeof en} */
export const ru = {};
