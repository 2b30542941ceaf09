"""The packaged weights are the ones that their card speaks of, or they are not used."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.suppressor import WeightsError, load, stated_sha256, weights_path

pytestmark = pytest.mark.quiet


def test_the_weights_of_the_package_are_loaded_and_known_by_their_hash() -> None:
    network = load()
    assert network.sha256 == stated_sha256()
    assert network.state_size > 0


def test_weights_that_were_changed_by_one_bit_are_refused_with_a_reason(tmp_path: Path) -> None:
    raw = bytearray(weights_path().read_bytes())
    raw[len(raw) // 2] ^= 1
    changed = tmp_path / "weights.onnx"
    changed.write_bytes(raw)
    with pytest.raises(WeightsError, match=r"weights\.onnx is not what its card speaks of.*Install"):
        load(changed)


def test_weights_or_a_card_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"absent\.onnx cannot be read.*Install"):
        load(tmp_path / "absent.onnx")
    with pytest.raises(WeightsError, match=r"absent\.md cannot be read.*Install"):
        load(card=tmp_path / "absent.md")


def test_a_card_without_a_hash_is_no_card(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("# A card\n\nFile `weights.onnx`, as good as new.\n")
    with pytest.raises(WeightsError, match="no SHA-256"):
        load(card=card)


def test_what_cannot_be_run_is_refused_even_with_the_right_hash(tmp_path: Path) -> None:
    import hashlib

    file, card = tmp_path / "weights.onnx", tmp_path / "card.md"
    file.write_bytes(b"not a network")
    card.write_text(f"File `weights.onnx`, SHA-256\n`{hashlib.sha256(file.read_bytes()).hexdigest()}`.\n")
    with pytest.raises(WeightsError, match="cannot be run"):
        load(file, card)
