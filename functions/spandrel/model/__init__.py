"""Pure Python: the nouns of the field, the errors, the limits, the routes. Imports nothing but the standard library."""
