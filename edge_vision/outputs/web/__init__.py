"""The live page and the API: `outputs.web`.

output.py     WebOutput: pictures in, from the render thread
server.py     the thread and its event loop
listen.py     the socket, and who has the port (holder.py)
tls.py        the certificate
door.py       every connection: how many, how slow
site.py       what the handlers share
problem.py    refusals as RFC 9457 problems
guard.py      whose request is answered: Host, other sites, login, size
access.py     who is logged in: sessions.py, passwords.py; login.py: /api/login
headers.py    of every answer
hub.py        pictures to JPEG once (jpeg.py), and to everybody who watches (viewer.py)
shot.py       one JPEG, and as a part of a stream
streams.py    /stream.mjpg, /snapshot.jpg
api.py        /api/..., /healthz; state.py: /api/state; wish.py: PATCH; shapes.py: what is answered
past.py       /api/history, /api/counts; files.py: pictures and clips, in ranges
happenings.py events, from the rules to who listens
scenes.py     scenes as JSON, made once; who waits for them
events.py     /api/events: each scene, and what happens, to all who listen
recent.py     the last ten minutes
metrics.py    /metrics
openapi.py    /openapi.json
page/         what the browser gets
"""

from edge_vision.outputs.web.output import WebOutput

__all__ = ["WebOutput"]
