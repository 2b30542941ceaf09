/** Markers that were set in this call, for whoever shows them beside it. */
type Listener = (call: string, atMs: number) => void;

const listeners = new Set<Listener>();

export function onMarker(call: string, atMs: number): void {
  for (const tell of listeners) tell(call, atMs);
}

export function hearMarkers(tell: Listener): () => void {
  listeners.add(tell);
  return () => void listeners.delete(tell);
}
