"""What can be wrong with a model, whichever it is."""

from __future__ import annotations


class ModelError(Exception):
    """A model cannot be used. `words` say why, in English and with the names of `values` to be filled in; `hint` says
    what to do. Whoever tells a person finds both in the reader's language."""

    def __init__(self, words: str, hint: str, /, **values: object) -> None:
        self.words, self.hint, self.values = words, hint, values
        super().__init__(self.message)

    @property
    def message(self) -> str:
        values = {name: _plain(value) for name, value in self.values.items()}
        return self.words.format(**values) if values else self.words


def _plain(value: object) -> object:
    """An operating system's error without its number and its file, which the sentence names."""
    return (value.strerror or value) if isinstance(value, OSError) else value
