"""Conditions over ``n``, ``o`` and ``d``: what they say, how many rows they take, what they answer.

The language, the modes and the adaptivity are those of ease.ml/ci (Renggli et al., SysML 2019). The sample
sizes are the paper's, and smaller ones that keep the same promise.
"""
