"""`python -m edge_vision` is `edge-vision`."""

from edge_vision.cli import main

main()
