/** Up and down go from row to row of a long table; Tab goes past it with one stop. */
export function walkRows(event: KeyboardEvent): void {
  if (event.shiftKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
  const stops = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("th button")];
  const here = stops.indexOf(event.target as HTMLElement);
  const next = stops[here + (event.key === "ArrowDown" ? 1 : -1)];
  if (here < 0 || !next) return;
  event.preventDefault();
  for (const stop of stops) stop.tabIndex = stop === next ? 0 : -1;
  next.focus();
}
