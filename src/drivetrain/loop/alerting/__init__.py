"""Alerts in the catalog: kept with the window that decided them, told by whoever watches, ended by people."""
