"""Tests of what the benches are made of: their input must be right before their figures mean anything."""
