"""Inputs to try things on: generators, with a seed where chance is involved, and small tables of published facts."""
