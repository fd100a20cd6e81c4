"""The online side of a view: packed rows in a key-value store, kept current, read at the moment of the request."""
