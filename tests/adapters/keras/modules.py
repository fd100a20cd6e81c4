"""Functions that build Keras models, for trainers to name."""

from __future__ import annotations

from typing import Any


def small(inputs: int, outputs: int) -> Any:
    """Two layers; dropout has a state of its own."""
    import keras

    return keras.Sequential(
        [
            keras.layers.Input((inputs,)),
            keras.layers.Dense(32, "relu"),
            keras.layers.Dropout(0.05),
            keras.layers.Dense(outputs),
        ]
    )


def convolutions(inputs: int, outputs: int) -> Any:
    """Digits of 8 × 8 points."""
    import keras
    from keras import layers

    given = layers.Input((inputs,))
    x = layers.Reshape((8, 8, 1))(given)
    for width in (32, 64):
        x = layers.Activation("relu")(layers.BatchNormalization()(layers.Conv2D(width, 3, padding="same")(x)))
    x = layers.Dropout(0.3)(layers.Flatten()(layers.MaxPooling2D(2)(x)))
    return keras.Model(given, layers.Dense(outputs)(layers.Dense(64, "relu")(x)))


def narrow(inputs: int, outputs: int) -> Any:
    import keras

    return keras.Sequential([keras.layers.Input((inputs,)), keras.layers.Dense(outputs + 1)])


def code(inputs: int, outputs: int) -> Any:
    """A layer that is Python."""
    import keras

    return keras.Sequential(
        [keras.layers.Input((inputs,)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Dense(outputs)]
    )
