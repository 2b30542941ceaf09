/** Left and right go from word to word; Tab goes from one row of words to the next. */
export function walk(event: KeyboardEvent): void {
  if (event.shiftKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
  const words = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".word")];
  const here = words.indexOf(event.target as HTMLElement);
  const next = words[here + (event.key === "ArrowRight" ? 1 : -1)];
  if (here < 0 || !next) return;
  event.preventDefault();
  for (const word of words) word.tabIndex = word === next ? 0 : -1;
  next.focus();
}
