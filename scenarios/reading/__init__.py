"""From a name or a file to a scenario, every mistake with its place: shelf, YAML, extends, --set, validation."""
