"""The live page and the API: `outputs.web`.

output.py     WebOutput: pictures in, from the render thread
server.py     the socket, the thread and its event loop
site.py       what the handlers share
problem.py    refusals as RFC 9457 problems
guard.py      who may ask what: Host, login, tokens, headers of every answer
hub.py        pictures to JPEG once, and to everybody who watches
streams.py    /stream.mjpg, /snapshot.jpg
api.py        /api/...
metrics.py    /metrics
page/         what the browser gets
"""

from edge_vision.outputs.web.output import WebOutput

__all__ = ["WebOutput"]
