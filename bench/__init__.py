"""Measuring Rapport: made tenants, and what questions and appends cost on them."""
