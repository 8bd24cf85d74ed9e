"""Processes of the product that are killed at a chosen point, and what must hold afterwards."""
