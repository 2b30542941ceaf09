"""A walk by keyboard alone, kept as it was gone.

    walk = Walk(page, SHOWN / "the-day")      # makes the folder
    walk.tab_to("Logga in", role="button")    # Tab until that has the focus
    walk.press("Enter")
    walk.write("birgitta")
    walk.keep()                               # walk.md: each key, what had the focus then, and its picture

At each step the focus is asked of the browser as assistive technology is told it (role and name). A step fails when the
focus is lost to the page as such, cannot be seen, lies outside the window or under something else, or cannot leave where
it is. Pictures are of the steps that do something; a Tab that only passes by is listed without one.
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

MOST_TABS = 150
PARTS_OF_A_DATE = 4

# What has the focus, and whether a person who looks for it finds it.
LOOK = """() => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return { lost: true };
  window.walkers ??= new WeakMap();
  if (!window.walkers.has(at)) window.walkers.set(at, window.walked = (window.walked ?? 0) + 1);
  const box = at.getBoundingClientRect();
  const drawn = (one) => {
    if (!one) return false;
    const style = getComputedStyle(one);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  };
  // Where the field itself is drawn by what stands beside it or around it, that is where the focus shows.
  const date = at.type === "date"; // the browser draws the ring of its parts
  const ring = date || drawn(at) || drawn(at.nextElementSibling) || drawn(at.parentElement);
  const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
  const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
  const inside = right - left > 0 && bottom - top > 0;
  const places = [[0.5, 0.5], [0.08, 0.5], [0.92, 0.5], [0.5, 0.12], [0.5, 0.88]];
  const uncovered = inside && places.some(([x, y]) => {
    const there = document.elementFromPoint(left + x * (right - left), top + y * (bottom - top));
    return there && (at.contains(there) || there.contains(at) && there !== document.body || at.closest("label")?.contains(there));
  });
  const over = uncovered || !inside ? "" : document.elementFromPoint((left + right) / 2, (top + bottom) / 2)?.outerHTML.slice(0, 80);
  return { lost: false, date, over, id: window.walkers.get(at), placed: at.tabIndex < 0, ring, inside, uncovered };
}"""


@dataclass(frozen=True)
class Step:
    """A key, and what had the focus after it."""

    key: str
    role: str
    name: str
    picture: str

    def __str__(self) -> str:
        held = f'{self.role} "{self.name}"' if self.role else "(the end of the page)"
        return f"| {self.key} | {held} | {f'![]({self.picture})' if self.picture else ''} |"


class Walk:
    """Goes through pages by keys, and remembers. `folder` is emptied of an earlier walk."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.steps: list[Step] = []
        self.within_s = 40.0
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        self._cdp = page.context.new_cdp_session(page)
        self._cdp.send("Accessibility.enable")

    def press(self, *keys: str) -> None:
        """Keys that do something."""
        for key in keys:
            self.page.keyboard.press(key)
            self._remember(key, self._found(), picture=True)

    def then(self) -> None:
        """Where the focus is once the page has answered: for a key whose doing takes a moment."""
        self._remember("…", self._found(), picture=True)

    def write(self, text: str, *, secret: bool = False) -> None:
        """Text into the field that has the focus."""
        role, name = self.focus()
        assert role in ("textbox", "searchbox", "combobox"), f'{role} "{name}" takes no text'
        self.page.keyboard.type(text)
        self._remember("(a secret)" if secret else f"“{text}”", self._found(), picture=True)

    def tab_to(self, name: str, role: str = "", *, back: bool = False) -> None:
        """Tab (with `back` Shift+Tab) until what bears this name has the focus; the end of the page is passed once."""
        key = "Shift+Tab" if back else "Tab"
        ends, stays, before = 0, 0, self._look()
        passed: list[tuple[str, str]] = []
        for _ in range(MOST_TABS):
            self.page.keyboard.press(key)
            now = self._look()
            if now["lost"]:
                ends += 1
                assert ends <= 2, f"{name!r} is not reached by {key}: {passed}"
                self._remember(key, None)
            else:
                # A date is a day, a month, a year and a calendar, and each of them a stop.
                stays = stays + 1 if now["id"] == before.get("id") else 0
                assert stays <= (PARTS_OF_A_DATE if now["date"] else 0), (
                    f"{key} does not leave {self.focus()}"
                )
                found = self._found()
                there = name in found[1] and role in ("", found[0])
                passed.append(found)
                self._remember(key, found, picture=there)
                if there:
                    return
            before = now
        raise AssertionError(f"{name!r} is not reached by {key}: {passed}")

    def focus(self) -> tuple[str, str]:
        """Role and name of what has the focus, as assistive technology is told them."""
        asked = self._cdp.send("Runtime.evaluate", {"expression": "document.activeElement"})
        at = asked["result"]["objectId"]
        told: dict[str, Any] = self._cdp.send(
            "Accessibility.getPartialAXTree", {"objectId": at, "fetchRelatives": False}
        )
        node = told["nodes"][0]
        role = str(node.get("role", {}).get("value", ""))
        return role, " ".join(str(node.get("name", {}).get("value", "")).split())

    def keep(self) -> None:
        """Write down how it went."""
        lines = ["| key | focus | |", "| --- | --- | --- |", *map(str, self.steps)]
        (self._folder / "walk.md").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _look(self) -> dict[str, Any]:
        told: dict[str, Any] = self.page.evaluate(LOOK)
        return told

    def _found(self) -> tuple[str, str]:
        """The focus, once it is where it can be seen; a page that is being drawn is given its time."""
        deadline = time.monotonic() + self.within_s
        while True:
            now = self._look()
            if not now["lost"] and now["inside"] and now["uncovered"] and (now["ring"] or now["placed"]):
                role, name = self.focus()
                # Where the focus is set by the page it may be text; what a person goes to by Tab has a name.
                if name or now["placed"]:
                    return role, name
            if time.monotonic() > deadline:
                where = "lost" if now["lost"] else f"at {self.focus()}: {now}"
                raise AssertionError(f"the focus is {where}, after {[step.key for step in self.steps[-5:]]}")
            self.page.wait_for_timeout(50)

    def _remember(self, key: str, found: tuple[str, str] | None, *, picture: bool = False) -> None:
        role, name = found or ("", "")
        shot = f"{len(self.steps):03}.jpg" if picture else ""
        if shot:
            # Hundreds of them: asked of the browser itself, each takes half the time.
            how = {"format": "jpeg", "quality": 60, "optimizeForSpeed": True}
            taken = self._cdp.send("Page.captureScreenshot", how)["data"]
            (self._folder / shot).write_bytes(base64.b64decode(taken))
        self.steps.append(Step(_in_a_cell(key), role, _in_a_cell(name), shot))


def _in_a_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "⏎")
