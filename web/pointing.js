/** Whether there is something to point with, a mouse say, and so most likely a keyboard; a finger points at nothing beforehand. */
export const points = matchMedia('(hover: hover)').matches;
