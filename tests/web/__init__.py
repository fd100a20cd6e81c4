"""Tests of the dashboard and the control API."""
