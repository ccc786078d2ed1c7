"""Versions of the read models: built beside the live one, compared with it, switched, dropped.

The live version is schema `views`; the one being built `views_next`; those before `views_old_<n>`.
"""
