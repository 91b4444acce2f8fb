"""Trace equivalence of the graph networks and samplers with the authors' code: claims V1 and V2."""
