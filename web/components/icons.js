/** Line icons, drawn for a 24 × 24 grid. They say nothing by themselves: the control beside them has a name. */
import { html } from '../html.js';

export const icon = (path) => () => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${path} /></svg>`;

export const Microphone = icon('M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21');
export const MicrophoneOff = icon('M9 9v2a3 3 0 0 0 4.8 2.4M15 10.5V6a3 3 0 0 0-5.7-1.3M5.5 11a6.5 6.5 0 0 0 10.6 5M18.3 12.5q.2-.7.2-1.5M12 17.5V21M4 3l16 18');
export const Headset = icon('M4 15v-3a8 8 0 0 1 16 0v3M4 14.5h2.5a1 1 0 0 1 1 1v3.5a1 1 0 0 1-1 1H5.500A1.5 1.5 0 0 1 4 18.500zM20 14.500h-2.500a1 1 0 0 0-1 1v3.500a1 1 0 0 0 1 1h1a1.5 1.5 0 0 0 1.5-1.500z');
export const HangUp = icon('M2.5 15.400c0-4.6 4.3-7.4 9.5-7.400s9.5 2.8 9.5 7.400v1.500l-5.2.5-.6-3.300a12 12 0 0 0-7.4 0l-.6 3.3-5.2-.5z');
export const Send = icon('M4 12 20 4l-5 16-3.5-6.500zM11.5 13.5 20 4');
export const Plus = icon('M12 5v14M5 12h14');
export const Exit = icon('M14 4H6.500A1.5 1.5 0 0 0 5 5.500v13A1.5 1.5 0 0 0 6.5 20H14M10.5 12H20M16.5 8.5 20 12l-3.5 3.5');
export const Down = icon('M12 5v13M6.5 12.5 12 18l5.5-5.5');
export const Alert = icon('M12 4 2.8 19.500h18.400zM12 10v4.500M12 17.200v.1');
export const HeadsetOff = icon('M4 15v-3a8 8 0 0 1 2.3-5.6M9 4.600a8 8 0 0 1 11 7.400v5M4 14.500h2.500a1 1 0 0 1 1 1v3.500a1 1 0 0 1-1 1H5.500A1.500 1.500 0 0 1 4 18.500zM3.500 3.500l17 17');
export const Hand = icon('M8 12.500V6a1.400 1.400 0 0 1 2.800 0v5M10.800 10.500V4.400a1.400 1.400 0 0 1 2.800 0v6.100M13.600 10.500V5.500a1.400 1.400 0 0 1 2.800 0v6M16.400 11.500V8.300a1.400 1.400 0 0 1 2.800 0V15a6.500 6.500 0 0 1-6.500 6.500c-2.700 0-4.200-1-5.500-3l-3-4.600a1.500 1.500 0 0 1 2.400-1.700L8 14');
export const Settings = icon('M4 7h9M17 7h3M4 17h3M11 17h9M15 4.500v5M9 14.500v5');
export const Close = icon('M6 6l12 12M18 6 6 18');
export const Invite = icon('M10 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM3.500 19.500a6.500 6.500 0 0 1 11-4.700M18 13v7M14.500 16.500h7');
export const Copy = icon('M9 9h10v11H9zM15 9V5H5v11h4');
export const Star = icon('M12 4l2.400 5 5.500.700-4 3.800 1 5.500-4.900-2.700L7.100 19l1-5.500-4-3.800 5.500-.700z');
export const Lock = icon('M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3');
export const Search = icon('M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500 20 20');
export const Signal = icon('M5 19v-3M10 19v-7M15 19V9M20 19V5');
export const Check = icon('M5 12.500l4.500 4.500L19 7.500');
export const More = icon('M5 12h.01M12 12h.01M19 12h.01');
export const Smile = icon('M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM8.5 14a4 4 0 0 0 7 0M9 9.5v.1M15 9.5v.1');
