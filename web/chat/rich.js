/**
 * What a message's text is made of, so that it can be shown without ever being HTML: links, code and formulas.
 * Everything that is none of these stays as it was written.
 *
 * @typedef {{kind: 'text' | 'link' | 'code' | 'block' | 'formula', text: string}} Part
 */

/** A block of code between ``` lines, `code`, $formulas$ (also $$ … $$), addresses. */
const PARTS = new RegExp(
  [
    /```(?:[\w+#-]*\n)?(?<block>[\s\S]+?)\n?```\n?/,
    /`(?<code>[^`\n]+)`/,
    /\$\$(?<display>[^$]+)\$\$/,
    // As TeX has it; "5$ or 6$" is about money.
    /(?<![\w$])\$(?<formula>[^\s$](?:[^$\n]*[^\s$])?)\$(?![\w$])/,
    /(?<link>https?:\/\/[^\s<>"«»`]+)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'giu',
);

/** @param {string} text @returns {Part[]} */
export function partsOf(text) {
  /** @type {Part[]} */
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(PARTS)) {
    const { block, code, display, formula, link } = match.groups;
    const address = link && withoutWhatFollows(link);
    if (link && !isAddress(address)) continue;
    if (match.index > end) parts.push({ kind: 'text', text: text.slice(end, match.index) });
    if (block !== undefined) parts.push({ kind: 'block', text: block });
    else if (code !== undefined) parts.push({ kind: 'code', text: code });
    else if (link) parts.push({ kind: 'link', text: address });
    else parts.push({ kind: 'formula', text: (display ?? formula).trim() });
    end = match.index + (link ? address.length : match[0].length);
  }
  if (end < text.length) parts.push({ kind: 'text', text: text.slice(end) });
  return parts;
}

/** In one line, without the marks: where a message is only mentioned. @param {string} text */
export const inOneLine = (text) => partsOf(text).map((part) => part.text).join(' ').replace(/\s+/g, ' ').trim();

/** A full stop or a bracket after an address belongs to the sentence around it. */
function withoutWhatFollows(link) {
  let address = link;
  for (;;) {
    const bare = address.replace(/[.,;:!?'…]+$/u, '');
    const closes = bare.endsWith(')') && bare.split('(').length < bare.split(')').length;
    const next = closes ? bare.slice(0, -1) : bare;
    if (next === address) return address;
    address = next;
  }
}

function isAddress(text) {
  try {
    return /^https?:$/.test(new URL(text).protocol);
  } catch {
    return false;
  }
}
