"""What personal data a project has, and what a file would bring."""
