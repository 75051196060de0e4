/** What browsers have and TypeScript does not know of. */

interface NetworkInformation extends EventTarget {
  readonly type?: string;
}

interface Navigator {
  readonly connection?: NetworkInformation;
}
