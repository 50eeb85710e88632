"""`edge-vision doctor`: what this computer lacks."""

from dataclasses import asdict

import typer

from edge_vision.cli.options import AsJson, print_json
from edge_vision.doctor import Check, examine


def command(json: AsJson = False) -> None:
    """Check this computer: python, packages, runtime, models, cameras, groups, display, disk, heat.

    Each line says ok, warn or fail, and below it stands the command that mends it.  Exit code: 0
    when nothing fails (warnings do not count), else 1.
    """
    checks: list[Check] = []
    for check in examine():
        checks.append(check)
        if not json:
            print(f"{check.state:4}  {check.name:11}  {check.found}", flush=True)
            if check.mend:
                print(f"{'':19}mend it: {check.mend}", flush=True)
    failed = sum(check.state == "fail" for check in checks)
    if json:
        print_json({"ok": failed == 0, "checks": [asdict(check) for check in checks]})
    else:
        warned = sum(check.state == "warn" for check in checks)
        print(f"{len(checks)} checks: {failed} failed, {warned} to look at")
    if failed:
        raise typer.Exit(1)
