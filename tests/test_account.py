"""The command that lets a user at devices names that user."""

import os
import pwd

import pytest

from edge_vision.account import join_groups


def test_the_user_is_the_one_this_process_runs_as(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr(os, "geteuid", lambda: nobody.pw_uid)
    assert join_groups("video,render").startswith("sudo usermod -aG video,render nobody, then log")


def test_a_number_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 2**31 - 7)
    assert join_groups("video").startswith("sudo usermod -aG video $USER, then log")
