"""What the window calls otherwise than the command line."""

from __future__ import annotations

_WORDS = {
    "--key-file": "private key",
    "--keep-dates": "“keep the true dates”",
    "--date-order": "order of dates",
    "--columns": "columns",
    "--overwrite": "“replace”",
    "--negate": "“opposite sign”",
    "--sheet": "sheet",
    "--labels": "labels",
    "--threshold": "threshold",
    "--label-names": "label names",
}


def in_words_of_the_window(sentence: str) -> str:
    """Name what stands on a panel or in a dialog instead of the argument of a command."""
    for flag in sorted(_WORDS, key=len, reverse=True):
        sentence = sentence.replace(flag, _WORDS[flag])
    return sentence
