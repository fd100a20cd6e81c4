"""What an alert means for the objective, and the commands that show more."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from drivetrain.core.clock import Micros, iso
from drivetrain.core.records import Alert

_MEANINGS = {
    "performance": "answers are worse than they were shown to be before the version was released",
    "calibration": "a probability that is answered can't be taken at its word",
    "drift": "what is asked is unlike what the version learned from; whether its answers are still right is not known "
    "until labels come",
    "inputs": "the model is fed what is broken, and its answers rest on it",
    "concept": "answers are wrong more often, or by more, than they were: what the version learned may no longer hold",
    "estimated": "answers should be worse than they were shown to be before the version was released, or are worse "
    "than could be known without labels",
    "latency": "callers wait longer than they were promised",
    "fairness": "it treats one group of people otherwise than another, by more than was agreed or shown before release",
    "segment": "answers are worse for some of those who are asked about, though not for all together",
    "business": "what is done with the answers brings less than it was shown to bring before release",
    "attribution": "answers come about for other reasons than those that were tested; they may still be right",
    "rules": "a rule of the project's own says nothing: what it watches for would go unseen",
}
_OF_DATA = {
    "table": "nothing comes from it any more",
    "volume": "there are more or fewer rows than such windows had",
    "freshness": "what is known is older than it was",
    "quarantine": "rows are set aside that used to be good",
    "schema": "what reads it may find no column, or one of another type",
    "nulls": "what rests on that column has less to go by, or other gaps than before",
    "infinite": "what adds up or averages that column yields nothing",
    "constant": "that column tells no rows apart any more",
    "range": "its unit or its meaning may have changed",
    "unseen": "what learned from it has no code for those values",
    "drift": "what is in it is unlike what was there before",
    "age": "values rest on older events than before",
    "expired": "more entities are answered with nothing, for what is known of them is too old",
    "never": "more entities are answered with nothing, for nothing of them is known",
    "rules": "a rule of the project's own says nothing: what it watches for would go unseen",
}
_OTHERWISE = "a rule that the project set for itself is broken"


def meaning_of(rule: str, objective: str, own: str = "") -> str:
    """What a broken rule means for the business objective, a sentence.

    Args:
        rule: The rule.
        objective: The project's, a sentence.
        own: What the rule itself says it means.

    Example:
        >>> meaning_of("latency", "Warn passengers early.")
        'For “Warn passengers early”: callers wait longer than they were promised.'
    """
    words = own or _MEANINGS.get(rule.partition(".")[0], _OTHERWISE)
    aim = objective.strip().rstrip(".")
    sentence = words.strip().rstrip(".")
    if not aim:
        return sentence[:1].upper() + sentence[1:] + "."
    return f"For “{aim}”: {sentence}."


def meaning_of_data(rule: str, readers: Sequence[str], own: str = "") -> str:
    """What a broken rule of a table or view means, and for whom, a sentence.

    Args:
        rule: The rule.
        readers: Endpoints that read it.
        own: What the rule itself says it means.

    Example:
        >>> meaning_of_data("range.delay", ["late"])
        'Its unit or its meaning may have changed; endpoint late reads from it.'
    """
    words = (own or _OF_DATA.get(rule.partition(".")[0], _OTHERWISE)).strip().rstrip(".")
    who = (
        f"endpoint{'s' if len(readers) > 1 else ''} {', '.join(readers)} read{'' if len(readers) > 1 else 's'} from it"
    )
    return f"{words[:1].upper()}{words[1:]}; {who if readers else 'no endpoint reads from it'}."


def commands_of(alert: Alert, since: Micros, until: Micros, example: str = "") -> tuple[str, ...]:
    """Commands that show more of an alert.

    Args:
        alert: The alert.
        since: Start of the window.
        until: Its end.
        example: A prediction of the window that shows what is wrong, if one does.

    Example:
        >>> alert = Alert(id="a", endpoint="late", rule="drift", message="")
        >>> commands_of(alert, 0, 604_800_000_000)
        ('drivetrain report late --since 1970-01-01 --until 1970-01-08',)
    """
    day = 86_400_000_000
    first, last = (iso(at)[:10] if at % day == 0 else iso(at) for at in (since, until))
    found = [f"drivetrain report {shlex.quote(alert.endpoint)} --since {first} --until {last}"]
    if example:
        found.append(f"drivetrain trace {shlex.quote(example)}")
    return tuple(found)
