from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.node import Node, running_node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A media node that several tests share; each has calls of its own."""
    with running_node(tmp_path_factory.mktemp("node"), CALLSVC_MEDIA__RETURN_WITHIN_S="10") as running:
        yield running
