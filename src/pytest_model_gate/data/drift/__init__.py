"""Columns of two tables as the arrays that a comparison of them takes."""
