"""Space that is kept in order to be given up.

On a full disk PostgreSQL stops and cannot start again, for starting writes too. The ballast is a file beside it that
is removed then; with that space it starts, with every committed row. It is laid down anew when there is room again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

MB: Final = 1 << 20
BALLAST_BYTES: Final = 48 * MB  # two WAL segments and what recovery writes
# Below this the ballast is let go; above that it is laid down, so that it does not come and go.
LOW_BYTES: Final = 16 * MB
ENOUGH_BYTES: Final = 256 * MB


class Ballast:
    """The file, and how much room there is around it."""

    def __init__(self, file: Path, *, size: int = BALLAST_BYTES, enough: int = ENOUGH_BYTES) -> None:
        self.file = file
        self._size = size
        self._enough = enough

    @property
    def laid(self) -> bool:
        return self.file.exists()

    def free_bytes(self) -> int:
        """Free space on the disk, the ballast not counted."""
        return shutil.disk_usage(self.file.parent).free

    def lay(self) -> bool:
        """Lay it down if it is missing and there is room enough; whether it is there."""
        if self.laid:
            return True
        if self.free_bytes() < self._size + self._enough:
            return False
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size)
        except OSError:
            self.file.unlink(missing_ok=True)
            return False
        finally:
            os.close(descriptor)
        return True

    def low(self) -> bool:
        """Whether there is so little room that the ballast could not be laid down and the database may soon stop."""
        return self.free_bytes() < self._enough

    def let_go(self, low: int = LOW_BYTES) -> bool:
        """Give the space up if the disk is as good as full; whether it was given up."""
        if not self.laid or self.free_bytes() >= low:
            return False
        self.file.unlink(missing_ok=True)
        return True
