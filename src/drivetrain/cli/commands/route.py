"""Say who answers an endpoint's requests: the champion, a canary that grows by itself, a split, or a bandit.

drivetrain route canary --version 4 --steps 5%,25%,50% --hold 1h --errors 1% --loss 0.002 --because "..."
drivetrain route split --experiment price --arm control --arm new=4 --unit customer --because "..."
drivetrain route bandit --experiment price --arm control --arm new=4 --because "..."
drivetrain route champion --because "..."
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.errors import UsageError
from drivetrain.core.records import Guardrail
from drivetrain.experiment.policies import Asked, Bandit, Canary, Split
from drivetrain.loop.project import Project
from drivetrain.loop.routing import in_words


class Mode(Enum):
    """What the command may set."""

    champion = "champion"
    canary = "canary"
    split = "split"
    bandit = "bandit"


def command(  # one parameter an option: Typer reads them
    mode: Annotated[Mode, typer.Argument(help="Who answers.")],
    *,
    because: Annotated[str, typer.Option(help="The reason, kept in the timeline.")],
    endpoint: Annotated[str | None, typer.Option(help="Which endpoint; not needed where there is one.")] = None,
    version: Annotated[int, typer.Option(help="Canary: which version.")] = 0,
    steps: Annotated[str, typer.Option(help="Canary: its shares.")] = "5%,25%,50%",
    hold: Annotated[str, typer.Option(help="Canary: how long a step takes at least.")] = "1h",
    least: Annotated[int, typer.Option(help="Canary: answers in a step at least.")] = 200,
    errors: Annotated[str, typer.Option(help="Canary: share of failures it may have; empty for any.")] = "1%",
    slow: Annotated[str, typer.Option(help="Canary: 50ms:5% for at most 5% slower than 50 ms.")] = "",
    loss: Annotated[float | None, typer.Option(help="Canary: how much its squared error may lie above.")] = None,
    outcome: Annotated[
        str, typer.Option(help="Canary: how far its mean label may lie below: 0.01; or 0.01:lower.")
    ] = "",
    caution: Annotated[
        str, typer.Option(help="Canary: how often a good one may be doubted, and step down; 0% for never.")
    ] = "25%",
    experiment: Annotated[str, typer.Option(help="Split and bandit: the experiment's name.")] = "",
    arm: Annotated[
        list[str] | None, typer.Option(help="Split and bandit: NAME=VERSION[:SHARE], or NAME[:SHARE].")
    ] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Field by which an assignment sticks.")] = None,
    context: Annotated[list[str] | None, typer.Option(help="Bandit: numeric field it goes by.")] = None,
    override: Annotated[
        list[str] | None, typer.Option(help="UNIT=ARM, for testing; a canary's arms are canary and champion.")
    ] = None,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Writes the policy; every worker follows within a second."""
    with plain_errors(as_json=json):
        sticks = tuple(unit or ())
        asked: Asked | None = None
        if mode is Mode.canary:
            rails = [Guardrail.errors(_share(errors))] if errors else []
            if slow:
                limit, _, share = slow.partition(":")
                rails.append(Guardrail.slow(limit, _share(share or "1%")))
            if loss is not None:
                rails.append(Guardrail.loss(loss))
            if outcome:
                rails.append(_outcome(outcome))
            shares = tuple(_share(step) for step in steps.split(","))
            asked = Canary(
                version=version,
                steps=shares,
                hold=hold,
                least=least,
                guardrails=tuple(rails),
                unit=sticks,
                overrides=_overrides(override),
                caution=_share(caution),
            )
        elif mode is not Mode.champion:
            asked = _experiment(mode, experiment, arm or [], sticks, tuple(context or ()), _overrides(override))
        policy = Project.load(project).route(endpoint, asked, because=because)
        if json:
            show_json(policy)
        else:
            out.print(f"{policy.endpoint}: {in_words(policy) if policy.arms else 'the champion answers everything'}")


def _experiment(
    mode: Mode, name: str, given: list[str], unit: tuple[str, ...], context: tuple[str, ...], overrides: dict[str, str]
) -> Asked:
    if not name:
        raise UsageError(f"a {mode.value} needs a name", do="Give it with --experiment")
    arms: dict[str, int | None] = {}
    shares: dict[str, float] = {}
    for text in given:
        told, _, share = text.partition(":")
        arm, _, number = told.partition("=")
        if number and not number.isdecimal():
            raise UsageError("an arm's version is a number", found=repr(text), expected="NAME=VERSION[:SHARE]")
        arms[arm] = int(number) if number else None
        if share:
            shares[arm] = _share(share)
    if mode is Mode.bandit:
        return Bandit(experiment=name, arms=arms, unit=unit, context=context, overrides=overrides)
    return Split(experiment=name, arms=arms, shares=shares, unit=unit, overrides=overrides)


def _outcome(text: str) -> Guardrail:
    borne, _, better = text.partition(":")
    try:
        limit = float(borne)
    except ValueError:
        limit = -1.0
    if limit < 0 or better not in {"", "higher", "lower"}:
        raise UsageError("not an outcome's limit", found=repr(text), expected="such as 0.01, or 0.01:lower")
    return Guardrail.outcome(limit, better="lower" if better == "lower" else "higher")


def _overrides(given: list[str] | None) -> dict[str, str]:
    return dict(text.rpartition("=")[::2] for text in given or ())


def _share(text: str) -> float:
    try:
        return float(text.strip().removesuffix("%")) / (100.0 if text.strip().endswith("%") else 1.0)
    except ValueError:
        raise UsageError("not a share", found=repr(text), expected="such as 5% or 0.05") from None
