/** `html` tagged templates that make preact elements. */
import htm from './vendor/htm.js';
import { h } from './vendor/preact.js';
import './vendor/signals.js'; // teaches preact to follow the signals a component reads

export const html = htm.bind(h);
