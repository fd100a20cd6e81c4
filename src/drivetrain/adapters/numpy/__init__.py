"""What trainers share that is made of arrays: what they take for labels, how rows become inputs, how far a fit is."""

from drivetrain.adapters.numpy.archive import pack, unpack
from drivetrain.adapters.numpy.checkpoint import Checkpoint
from drivetrain.adapters.numpy.labels import checked_labels
from drivetrain.adapters.numpy.lesson import lesson as _lesson
from drivetrain.adapters.numpy.lesson import search_space
from drivetrain.adapters.numpy.preparation import answered, prepared

answer = answered
checkpoint = Checkpoint
labels = checked_labels
lessons = _lesson
prepare = prepared
space = search_space

__all__ = ["answer", "checkpoint", "labels", "lessons", "pack", "prepare", "space", "unpack"]
