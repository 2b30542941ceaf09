"""A state of a page, looked at without leaving it: dark and wide, then light and 320 px, by axe-core and kept as pictures.

looks = Looks(screen)
looks.at("masked")
looks.say()            # fails with everything that was found, by state
"""

from __future__ import annotations

from playwright.sync_api import ViewportSize

from tests.acceptance.screens.conftest import Screen

WIDE: ViewportSize = {"width": 1280, "height": 860}
NARROW: ViewportSize = {"width": 320, "height": 640}
# Names, roles and order are the same in all colours and at every width; these are not.
CHANGED = ("color-contrast", "target-size", "scrollable-region-focusable")
OVERFLOW = """() => {
  const root = document.documentElement, wider = root.scrollWidth - root.clientWidth;
  if (wider <= 0) return "";
  const out = [...document.querySelectorAll("main *")].find((one) => one.getBoundingClientRect().right > root.clientWidth + 1);
  return `${wider} px wider than the window, ${out?.className ?? "?"}`;
}"""


class Looks:
    """What was found wrong in each state so far."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.seen: list[str] = []
        self._found: list[str] = []

    def at(self, name: str) -> None:
        """The colours and the width change where they are, so that the state stays what it is."""
        screen, page = self._screen, self._screen.page
        before = page.viewport_size
        self.seen.append(name)
        for scheme, size in (("dark", WIDE), ("light", NARROW)):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.set_viewport_size(size)
            wider = str(page.evaluate(OVERFLOW))
            dark = scheme == "dark"
            faults = screen.faults(contrast_enhanced=dark, only=() if dark else CHANGED)
            faults += [wider] if wider else []
            self._found += [f"{name}, {scheme}: {fault}" for fault in faults]
            page.evaluate(
                "window.walkedTo = scrollY, scrollTo(0, 0)"
            )  # what sticks to the window stands where it begins
            screen.keep(f"{name}-{scheme}")
            page.evaluate("scrollTo(0, window.walkedTo)")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(before or WIDE)

    def say(self) -> None:
        assert not self._found, "\n".join(self._found)
