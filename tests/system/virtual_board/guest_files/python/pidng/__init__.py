"""Stands for PiDNG, which writes raw pictures and must be compiled; the tests write none."""
