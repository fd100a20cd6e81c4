"""Work that exists already, notebook, script or model file, as the draft of a project; nothing of it is ever run."""
