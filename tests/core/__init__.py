"""Tests of engine.core: stories for each feature, and a slow twin that judges millions of random commands."""
