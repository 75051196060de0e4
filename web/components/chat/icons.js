/** The icons of the chat (../icons.js). */
import { icon } from '../icons.js';

export const Up = icon('M12 19V6M6.5 11.5 12 6l5.5 5.5');
export const More = icon('M6 11.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6zM12 11.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6zM18 11.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6z');
export const Reply = icon('M9.5 6 4 11.5 9.5 17M4.5 11.5H14a6 6 0 0 1 6 6V19');
export const Pencil = icon('M5 19l.8-3.8L16 5l3 3L8.8 18.2zM13.5 7.5l3 3');
export const Trash = icon('M5 7h14M10 4h4M7 7l.8 13h8.4L17 7M10.5 10.5v6M13.5 10.5v6');
