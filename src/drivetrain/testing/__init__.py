"""Conformance suites that every implementation of a protocol inherits, and servers and killers for tests."""
