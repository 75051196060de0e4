/** The candidates of an answer: which ways the server tells, and an answer that has one kind alone. */

/** @param {string} sdp */
export function waysOf(sdp) {
  const candidates = [...sdp.matchAll(/^a=candidate:\S+ \d+ (\S+) \d+ (\S+) (\d+) .*$/gm)];
  return {
    hosts: [...new Set(candidates.map(([, , host]) => host))],
    port: Number(candidates[0]?.[3] ?? 0),
    /** @param {'udp' | 'tcp'} protocol */
    only: (protocol) =>
      sdp
        .split('\r\n')
        .filter((line) => !line.startsWith('a=candidate:') || line.split(' ')[2].toLowerCase() === protocol)
        .join('\r\n'),
  };
}

/** Whether an address is one of the whole internet, not of a home, a machine or a container. @param {string} host */
export function isAddressOfAll(host) {
  if (host.includes(':')) return !/^\[?(::1|f[cd]|fe[89ab])/i.test(host);
  const [a, b] = host.split('.').map(Number);
  if (!/^\d+(\.\d+){3}$/.test(host)) return false;
  return !(a === 10 || a === 127 || a === 0 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254) || (a === 100 && b >= 64 && b < 128));
}
