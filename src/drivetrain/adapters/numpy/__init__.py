"""What trainers share that is made of arrays: what they take for labels, how rows become inputs, how far a fit is."""

from drivetrain.adapters.numpy.checkpoint import Checkpoint
from drivetrain.adapters.numpy.labels import checked_labels
from drivetrain.adapters.numpy.preparation import learn, prepared, restored

checkpoint = Checkpoint
labels = checked_labels
preparation = learn
prepare = prepared
scaling = restored

__all__ = ["checkpoint", "labels", "preparation", "prepare", "scaling"]
