"""What is declared of reading a model's answers, and all of it learned from the same rows."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from drivetrain.core.errors import UsageError
from drivetrain.core.records import Decided, Decider
from drivetrain.core.records.deciding import ThresholdChoice
from drivetrain.core.records.task import KINDS, TaskKind
from drivetrain.train.deciding.calibrate import Calibrate, calibrated
from drivetrain.train.deciding.conformal import Conformal, reached
from drivetrain.train.deciding.curves import applied
from drivetrain.train.deciding.threshold import NEVER, Threshold, chosen
from drivetrain.train.deciding.unseen import Unseen


@dataclass(frozen=True)
class Deciding:
    """What is learned about reading a model's answers; nothing by default."""

    calibrate: Calibrate | None = None
    threshold: Threshold | None = None
    conformal: Conformal | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to learn."""
        return any(part is not None for part in (self.calibrate, self.threshold, self.conformal))

    @property
    def meaning(self) -> list[str]:
        """What it is, as text; nothing where nothing is declared."""
        return [repr(part) for part in (self.calibrate, self.threshold, self.conformal) if part is not None]

    def check(self, kind: TaskKind) -> None:
        """Makes sure that it can be asked of answers of a kind.

        Raises:
            UsageError: It can't.
        """
        if self.calibrate is not None:
            self.calibrate.ways(kind)
        if self.threshold is not None and kind != "binary":
            raise UsageError(
                f"a threshold is for a yes or no, and the label is {KINDS[kind]}", do="Leave threshold= out"
            )
        if self.conformal is not None:
            self.conformal.check(kind)

    def learn(self, unseen: Unseen) -> tuple[Decider, Decided]:
        """How answers are read, and how that came about.

        Curves are learned from all of the rows. What an interval or a set is learned from are answers calibrated by
        what was learned on other stretches of time; a threshold is chosen on the answers as they are served, for a
        curve that never falls puts no row before another.

        Args:
            unseen: Rows that taught no fit.

        Raises:
            TrainingError: There are too few rows.
            UsageError: It can't be asked of such answers.
        """
        self.check(unseen.task.kind)
        decider = Decider()
        decided = Decided(
            rows=len(unseen.labels), of=unseen.of, since=int(unseen.ats.min()), until=int(unseen.ats.max()) + 1
        )
        crossed = served = unseen
        if self.calibrate is not None:
            calibration, said, choice = calibrated(self.calibrate, unseen)
            decider, decided = replace(decider, calibration=calibration), replace(decided, calibration=choice)
            if calibration is not None:
                crossed, served = unseen.said(said), unseen.said(applied(calibration, unseen.answers))
        if self.threshold is not None:
            cut = chosen(self.threshold, served)
            decider, decided = replace(decider, threshold=cut.value), replace(decided, threshold=cut)
        if self.conformal is not None:
            reach, learned = reached(self.conformal, crossed)
            decider, decided = replace(decider, reach=reach), replace(decided, reach=learned)
        return decider, decided


def in_short(decided: Decided) -> str:
    """What was learned, in a line."""
    told = []
    calibration = decided.calibration
    if calibration is not None:
        kept = calibration.chosen
        if kept is None:
            told.append(f"left as it says (log loss {calibration.log_loss:.4f}: no way is surely better)")
        else:
            told.append(f"calibrated by {kept.method} (log loss {calibration.log_loss:.4f}, then {kept.log_loss:.4f})")
    if decided.threshold is not None:
        told.append(acts_words(decided.threshold))
    if decided.reach is not None:
        told.append(f"{100 * decided.reach.coverage:g} % inside")
    return "; ".join(told)


def acts_words(choice: ThresholdChoice) -> str:
    """When it acts."""
    if choice.value >= NEVER:
        return "acts on nothing"
    return "acts on everything" if choice.value <= 0 else f"acts from {choice.value:.3g} on"
