"""The run-time type checker of the tests: an int where a float is asked for is fine, as it is to Python's typing."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
