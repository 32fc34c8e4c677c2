"""Questions over blocks that the catalogue chose: search, trace by id, names, dependencies."""
