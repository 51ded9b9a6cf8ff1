"""The life of an invented town: every record it will ever have, and what of it is known at an instant."""
